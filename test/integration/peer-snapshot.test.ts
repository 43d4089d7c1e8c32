/** Snapshots over real connections: cut at every stage, stalled, crowded, and beside heartbeats. */
import { fork } from 'node:child_process';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { Client, credentials, status } from '@grpc/grpc-js';
import { deferred } from '../../src/base/deferred';
import type { GrpcTransport } from '../../src/transport/grpc-transport';
import type { GrpcTransportTuning } from '../../src/transport/grpc-transport-options';
import { encodeSnapshotChunk, encodeSnapshotHeader } from '../../src/transport/snapshot-codec';
import { wordOf } from '../support/child-words';
import { metadataOf, snapshotPath, type Outcome } from '../support/peer-caller';
import { Proxy } from '../support/peer-stand-ins';
import { StallWatch } from '../support/stalls';
import { RecordingSink, snapshotBytes, snapshotOf, violations } from '../support/snapshots';
import { freePort } from '../support/free-ports';
import { appendEntries, clusterId, grpcTransport, Recorder, testTuning, until } from '../support/transport';

const cleanups: (() => unknown)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
  expect(violations.splice(0)).toEqual([]);
});

/** More than what both ends, HTTP/2 and the sockets hold. */
const bytes = snapshotBytes(12_000_000);

interface Pair {
  readonly sender: GrpcTransport;
  readonly receiver: GrpcTransport;
  readonly recorder: Recorder;
  readonly proxy: Proxy;
}

/** Member 1 reaches member 2 through a proxy. */
async function startPair(tuning: Partial<GrpcTransportTuning> = {}): Promise<Pair> {
  const { proxy, port } = await Proxy.listen();
  cleanups.push(() => {
    proxy.close();
  });
  const [sender, receiver] = [
    grpcTransport(1n, '127.0.0.1:0', [{ id: 2n, address: `127.0.0.1:${port}` }], { tuning }),
    grpcTransport(2n, '127.0.0.1:0', [], { tuning }),
  ];
  cleanups.push(() => sender.stop());
  cleanups.push(() => receiver.stop());
  const recorder = new Recorder();
  await receiver.start(recorder);
  await sender.start(new Recorder());
  proxy.target = receiver.boundPort ?? 0;
  return { sender, receiver, recorder, proxy };
}

/** What became of a promise that must reject. */
async function failure(promise: Promise<void>): Promise<unknown> {
  return promise.then(
    () => 'it was resolved',
    (error: unknown) => error,
  );
}

/** More than the timeouts of the test's tuning, on a busy machine. */
const boundMs = 5 * testTuning.snapshotStallTimeoutMs;

describe('a connection that breaks', () => {
  const stages: [string, (recorder: Recorder) => boolean][] = [
    ['while the offer is considered', (recorder) => recorder.offers.length > 0],
    ['in the middle', (recorder) => (recorder.sinks[0]?.receivedBytes ?? 0) > bytes.length / 2],
  ];
  const breaks: [string, (proxy: Proxy) => void][] = [
    ['is cut', (proxy) => proxy.cut()],
    ['goes silent', (proxy) => proxy.freeze()],
  ];
  const cases = breaks.flatMap(([how, act]) => stages.map(([when, isThere]) => ({ how, when, act, isThere })));

  it.each(cases)('and $how $when: the sender rejects, the receiver aborts', async ({ act, isThere }) => {
    const { sender, recorder, proxy } = await startPair();
    const gate = deferred<void>();
    recorder.onOffer = async () => {
      const sink = new RecordingSink();
      if (isThere(recorder)) await gate.promise;
      sink.onWrite = (received) => (received > bytes.length / 2 ? gate.promise : undefined);
      return sink;
    };
    const failed = failure(sender.sendSnapshot(2n, snapshotOf(bytes)));
    await until(() => isThere(recorder), 'the transfer is there');
    act(proxy);
    const start = performance.now();
    expect(await failed).toMatchObject({ code: 'unreachable', outcome: 'not-done' });
    gate.resolve();
    await until(() => recorder.sinks[0]?.end === 'abort', 'the sink is aborted', boundMs);
    expect(performance.now() - start).toBeLessThan(boundMs);
  });

  it('does not undo what the sink is finishing: its word counts here, and the sender does not know', async () => {
    const { sender, recorder, proxy } = await startPair();
    const gate = deferred<void>();
    const sink = new RecordingSink();
    sink.onFinish = () => gate.promise;
    recorder.onOffer = () => sink;
    const failed = failure(sender.sendSnapshot(2n, snapshotOf(bytes)));
    await until(() => sink.end === 'finish', 'the sink finishes');
    proxy.cut();
    expect(await failed).toMatchObject({ code: 'unreachable' });
    gate.resolve();
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(sink.end).toBe('finish');
  });
});

describe('a side that stands still', () => {
  it('the sink: the sender rejects, and the sink is aborted when it answers', async () => {
    const { sender, recorder } = await startPair();
    const gate = deferred<void>();
    const sink = new RecordingSink();
    sink.onWrite = () => gate.promise;
    recorder.onOffer = () => sink;
    const start = performance.now();
    const error = await failure(sender.sendSnapshot(2n, snapshotOf(bytes)));
    expect(error).toMatchObject({ code: 'unreachable', message: expect.stringContaining('stood still') });
    expect(performance.now() - start).toBeLessThan(boundMs);
    // Until the receiver has heard of it.
    await new Promise((resolve) => setTimeout(resolve, 200));
    gate.resolve();
    await until(() => sink.end === 'abort', 'the sink is aborted');
    expect(sink.calls).toEqual(['write', 'abort']);
  });

  it('the source: both sides give up', async () => {
    const { sender, recorder } = await startPair();
    const read = (): Promise<Uint8Array> => new Promise(() => undefined);
    const error = await failure(sender.sendSnapshot(2n, snapshotOf(bytes, { read })));
    expect(error).toMatchObject({ code: 'unreachable' });
    await until(() => recorder.sinks[0]?.end === 'abort', 'the sink is aborted');
  });

  it('a sink that is slow but never still is waited for', async () => {
    const snapshotStallTimeoutMs = 1500;
    const { sender, recorder } = await startPair({ snapshotStallTimeoutMs });
    const sink = new RecordingSink();
    sink.onWrite = () => new Promise((resolve) => setTimeout(resolve, 40));
    recorder.onOffer = () => sink;
    const start = performance.now();
    const large = Buffer.concat([bytes, bytes]);
    await sender.sendSnapshot(2n, snapshotOf(large));
    expect(performance.now() - start).toBeGreaterThan(2 * snapshotStallTimeoutMs);
    expect(sink.bytes.equals(large)).toBe(true);
  });
});

describe('a thin line', () => {
  it('is slow but breaks nothing: keepalive does not take what waits behind the data for a loss', async () => {
    const { sender, recorder, proxy } = await startPair({ snapshotStallTimeoutMs: 5000 });
    proxy.bytesPerSecond = 1_000_000;
    const start = performance.now();
    await sender.sendSnapshot(2n, snapshotOf(bytes.subarray(0, 4_000_000)));
    expect(performance.now() - start).toBeGreaterThan(
      5 * (testTuning.keepaliveIntervalMs + testTuning.keepaliveTimeoutMs),
    );
    expect(recorder.sinks[0]?.end).toBe('finish');
  });
});

describe('callers that do not end what they begin', () => {
  const small = Buffer.from('0123456789');
  const pass = (value: Buffer): Buffer => value;

  /** Begins a transfer and leaves it there; how the call ends. */
  function begin(port: number, from: bigint): Promise<Outcome> {
    const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure(), {
      'grpc.use_local_subchannel_pool': 1,
    });
    cleanups.push(() => {
      client.close();
    });
    const ids = { 'quorate-cluster-id': String(clusterId), 'quorate-from': String(from), 'quorate-to': '2' };
    return new Promise((resolve) => {
      const stream = client.makeClientStreamRequest(snapshotPath, pass, pass, metadataOf(ids), (error) => {
        resolve(error ?? { code: status.OK, details: '' });
      });
      stream.on('error', () => undefined);
      stream.write(encodeSnapshotHeader(snapshotOf(small), from));
      stream.write(encodeSnapshotChunk(0, small.subarray(0, 4)));
    });
  }

  it('are given up', async () => {
    const { receiver, recorder } = await startPair();
    const { code } = await begin(receiver.boundPort ?? 0, 1n);
    expect(status[code]).toBe('UNAVAILABLE');
    expect(recorder.sinks[0]?.calls).toEqual(['write', 'abort']);
  });

  it('make way for a newer transfer of the same member', async () => {
    const { sender, receiver, recorder } = await startPair();
    const older = begin(receiver.boundPort ?? 0, 1n);
    await until(() => recorder.sinks[0]?.receivedBytes === 4, 'the older transfer runs');
    await sender.sendSnapshot(2n, snapshotOf(bytes));
    expect(status[(await older).code]).toBe('ABORTED');
    expect(recorder.sinks.map(({ end }) => end)).toEqual(['abort', 'finish']);
  });

  it('are refused beyond the bound, and hold nobody up for long', async () => {
    const { sender, receiver, recorder } = await startPair();
    const { maxIncomingSnapshots } = testTuning;
    for (let at = 0; at < maxIncomingSnapshots; at++) void begin(receiver.boundPort ?? 0, BigInt(10 + at));
    await until(() => recorder.sinks.length === maxIncomingSnapshots, 'all places are taken');
    expect(await failure(sender.sendSnapshot(2n, snapshotOf(bytes)))).toMatchObject({ code: 'overloaded' });
    await until(() => recorder.sinks.every(({ end }) => end === 'abort'), 'they are given up', boundMs);
    await sender.sendSnapshot(2n, snapshotOf(bytes));
  });
});

describe('200 MB beside heartbeats', () => {
  const sizeBytes = 200 * 1024 * 1024;
  const piece = snapshotBytes(1024 * 1024);

  it('arrive whole in bounded memory, and no heartbeat waits for them', async () => {
    const { sender, recorder, report } = await startWithProcess();
    const answeredAt: number[] = [];
    const stalls = new StallWatch();
    cleanups.push(() => stalls.stop());
    recorder.onReceive = () => answeredAt.push(performance.now());
    const beats = setInterval(() => sender.send(2n, appendEntries(0)), 10);
    cleanups.push(() => {
      clearInterval(beats);
    });
    await until(() => answeredAt.length > 20, 'heartbeats are answered');
    answeredAt.length = 0;
    const before = process.memoryUsage.rss();
    let peak = before;
    const sent = snapshotOf(piece, {
      sizeBytes,
      read: async (offset, maxBytes) => {
        peak = Math.max(peak, process.memoryUsage.rss());
        const start = offset % piece.length;
        return piece.subarray(start, start + maxBytes);
      },
    });
    await sender.sendSnapshot(2n, sent);
    const { sha256, grownBytes } = await report;
    expect(sha256).toBe(hashOfPieces());
    expect(peak - before).toBeLessThan(100 * 1024 * 1024);
    expect(grownBytes).toBeLessThan(100 * 1024 * 1024);
    expectSteady(answeredAt, stalls);
  });

  /**
   * Under 100 ms between answers. A machine with other things to do holds up a few, but what waits behind a transfer
   * waits every time; and none takes half an election timeout.
   */
  function expectSteady(times: readonly number[], stalls: StallWatch): void {
    expect(times.length).toBeGreaterThan(20);
    const gaps = times.slice(1).map((at, before) => at - (times[before] ?? at));
    expect(gaps.filter((gap) => gap >= 100).length).toBeLessThanOrEqual(gaps.length / 10);
    expect(Math.max(...gaps)).toBeLessThan(500 + stalls.longestMs);
  }

  function hashOfPieces(): string {
    const hash = createHash('sha256');
    for (let at = 0; at < sizeBytes; at += piece.length) hash.update(piece);
    return hash.digest('hex');
  }

  interface Report {
    readonly sha256: string;
    readonly grownBytes: number;
  }

  /** Member 2 is a process of its own: the two ends do not share an event loop. */
  async function startWithProcess(): Promise<{ sender: GrpcTransport; recorder: Recorder; report: Promise<Report> }> {
    const [port, peerPort] = [await freePort(), await freePort()];
    const transportModule = require.resolve('../../src/transport/grpc-transport');
    const loggerModule = require.resolve('../../src/base/logger');
    // A busy machine may stop a process for longer than the short keepalive of other tests.
    const tuning = { ...testTuning, keepaliveTimeoutMs: 2000, snapshotStallTimeoutMs: 5000 };
    const options = { transportModule, loggerModule, tuning, clusterId: String(clusterId), port, peerPort };
    const peer = fork(join(__dirname, '../support/echo-peer.cjs'), [JSON.stringify(options)], { execArgv: [] });
    cleanups.push(() => peer.kill('SIGKILL'));
    const sender = grpcTransport(1n, `127.0.0.1:${peerPort}`, [{ id: 2n, address: `127.0.0.1:${port}` }], { tuning });
    cleanups.push(() => sender.stop());
    const recorder = new Recorder();
    await sender.start(recorder);
    const report = wordOf<Report>(peer);
    // Who waits for it hears of its failure; a test that has failed before kills the peer.
    report.catch(() => undefined);
    return { sender, recorder, report };
  }
});
