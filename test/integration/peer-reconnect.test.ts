/** Peers that disappear, return, move, stop reading or belong to another cluster, over real connections. */
import { fork, type ChildProcess } from 'node:child_process';
import dns from 'node:dns';
import { once } from 'node:events';
import { connect as connectHttp2 } from 'node:http2';
import { isIP } from 'node:net';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { decodeAppendEntries } from '../../src/transport/append-entries-codec';
import type { GrpcTransport } from '../../src/transport/grpc-transport';
import { keepaliveFor } from '../../src/transport/grpc-transport-options';
import { allPaths, streamPaths } from '../support/peer-caller';
import { DeafPeer, Proxy } from '../support/peer-stand-ins';
import { freePort } from '../support/free-ports';
import {
  appendEntries,
  clusterId,
  grpcTransport,
  Recorder,
  recordingLogger,
  testTuning,
  until,
} from '../support/transport';

/** A quarter of it is normal; on a busy machine everything takes longer. */
const soonMs = 1500;

const cleanups: (() => unknown)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
  jest.restoreAllMocks();
});

async function startMember(transport: GrpcTransport): Promise<Recorder> {
  const recorder = new Recorder();
  cleanups.push(() => transport.stop());
  await transport.start(recorder);
  return recorder;
}

/** A sender at no address in particular, with one peer: member 2. */
async function startSender(
  peerAddress: string,
  more: Parameters<typeof grpcTransport>[3] = {},
): Promise<{ sender: GrpcTransport; recorder: Recorder }> {
  const sender = grpcTransport(1n, '127.0.0.1:0', [{ id: 2n, address: peerAddress }], more);
  return { sender, recorder: await startMember(sender) };
}

/** Member 2, which never needs to reach member 1. */
async function startReceiver(listenAddress: string): Promise<{ receiver: GrpcTransport; recorder: Recorder }> {
  const receiver = grpcTransport(2n, listenAddress, [{ id: 1n, address: '127.0.0.1:1' }]);
  return { receiver, recorder: await startMember(receiver) };
}

/** Sends heartbeats until one arrives after this moment; how long it took. */
async function msUntilHeard(sender: GrpcTransport, recorder: Recorder): Promise<number> {
  const before = recorder.received.length;
  const start = performance.now();
  await until(() => {
    sender.send(2n, appendEntries(0));
    return recorder.received.length > before;
  }, 'a heartbeat arrives');
  return performance.now() - start;
}

describe('a peer that restarts', () => {
  it('is reached again soon, at the same address', async () => {
    const port = await freePort();
    const first = await startReceiver(`127.0.0.1:${port}`);
    const { sender, recorder } = await startSender(`127.0.0.1:${port}`);
    await msUntilHeard(sender, first.recorder);
    await first.receiver.stop();
    await until(() => recorder.unreachablePeers.length > 0, 'the loss is told');
    // Long enough for the backoff to reach its bound.
    await new Promise((resolve) => setTimeout(resolve, 2000));
    const second = await startReceiver(`127.0.0.1:${port}`);
    expect(await msUntilHeard(sender, second.recorder)).toBeLessThan(soonMs);
  });

  it('is reached again at another port behind the same name', async () => {
    const { proxy, port } = await Proxy.listen();
    cleanups.push(() => proxy.close());
    const first = await startReceiver('127.0.0.1:0');
    proxy.target = first.receiver.boundPort ?? 0;
    const { sender } = await startSender(`localhost:${port}`);
    await msUntilHeard(sender, first.recorder);
    const second = await startReceiver('127.0.0.1:0');
    proxy.target = second.receiver.boundPort ?? 0;
    await first.receiver.stop();
    expect(await msUntilHeard(sender, second.recorder)).toBeLessThan(soonMs);
  });

  it('is reached again at another address behind the same name', async () => {
    const addresses = { 'member-2.test': '127.0.0.2' };
    pretendDns(addresses);
    const port = await freePort();
    const first = await startReceiver(`127.0.0.2:${port}`);
    const { sender } = await startSender(`member-2.test:${port}`);
    await msUntilHeard(sender, first.recorder);
    await first.receiver.stop();
    addresses['member-2.test'] = '127.0.0.3';
    const second = await startReceiver(`127.0.0.3:${port}`);
    expect(await msUntilHeard(sender, second.recorder)).toBeLessThan(soonMs);
  });

  /** Answers for names of our own, in both forms of look-up that connecting uses. */
  function pretendDns(addresses: Record<string, string>): void {
    const lookUp = (name: string): { address: string; family: number }[] => {
      const address = isIP(name) === 0 ? addresses[name] : name;
      if (address === undefined) throw new Error(`no such name: ${name}`);
      return [{ address, family: 4 }];
    };
    jest.spyOn(dns.promises, 'lookup').mockImplementation((name: string) => Promise.resolve(lookUp(name)) as never);
    type Done = (error: null, address: unknown, family?: number) => void;
    jest.spyOn(dns, 'lookup').mockImplementation(((name: string, options: { all?: boolean } | Done, done: Done) => {
      const found = lookUp(name);
      const answer = typeof options === 'function' ? options : done;
      setImmediate(() => {
        if (typeof options !== 'function' && options.all === true) answer(null, found);
        else answer(null, found[0]?.address, 4);
      });
    }) as never);
  }
});

describe('a peer that moves while it runs', () => {
  it('is reached at the address that updatePeers names, and what went to the old one is told as lost', async () => {
    const first = await startReceiver('127.0.0.1:0');
    const { sender, recorder } = await startSender(`127.0.0.1:${first.receiver.boundPort}`);
    await msUntilHeard(sender, first.recorder);
    const second = await startReceiver('127.0.0.1:0');
    sender.updatePeers([{ id: 2n, address: `127.0.0.1:${second.receiver.boundPort}` }]);
    // While the old one still answers.
    expect(await msUntilHeard(sender, second.recorder)).toBeLessThan(soonMs);
    await until(() => recorder.unreachablePeers.includes(2n), 'the possible loss is told');
    const before = first.recorder.received.length;
    await msUntilHeard(sender, second.recorder);
    expect(first.recorder.received).toHaveLength(before);
  });

  it('is reached again when its old address is black: attempts there are given up at once', async () => {
    const { proxy, port } = await Proxy.listen();
    cleanups.push(() => proxy.close());
    proxy.freeze();
    const { sender } = await startSender(`127.0.0.1:${port}`);
    await until(() => proxy.connections > 0, 'an attempt hangs');
    const { receiver, recorder } = await startReceiver('127.0.0.1:0');
    sender.updatePeers([{ id: 2n, address: `127.0.0.1:${receiver.boundPort}` }]);
    expect(await msUntilHeard(sender, recorder)).toBeLessThan(soonMs);
  });
});

describe('a half-open connection', () => {
  it('is noticed by keepalive, told, and replaced', async () => {
    const { proxy, port } = await Proxy.listen();
    cleanups.push(() => proxy.close());
    const { receiver, recorder: heard } = await startReceiver('127.0.0.1:0');
    proxy.target = receiver.boundPort ?? 0;
    const keepalive = keepaliveFor({ heartbeatIntervalMs: 50, electionTimeoutMs: 600 });
    const { sender, recorder } = await startSender(`127.0.0.1:${port}`, { tuning: keepalive });
    await msUntilHeard(sender, heard);
    proxy.freeze();
    sender.send(2n, appendEntries(0, 1));
    const frozenAt = performance.now();
    await until(() => recorder.unreachablePeers.length > 0, 'the loss is told');
    const { keepaliveIntervalMs, keepaliveTimeoutMs } = keepalive;
    expect(performance.now() - frozenAt).toBeLessThan(keepaliveIntervalMs + keepaliveTimeoutMs + 250);
    // Long enough for some attempts that are accepted and never answered.
    await new Promise((resolve) => setTimeout(resolve, 3000));
    expect(proxy.connections).toBeLessThan(20);
    proxy.thaw();
    expect(await msUntilHeard(sender, heard)).toBeLessThan(2500);
  });
});

describe('a process that is stopped and continued', () => {
  it('answers again soon: its connections were given up meanwhile, on both sides', async () => {
    const [port, peerPort] = [await freePort(), await freePort()];
    const peer = startEchoPeer(port, peerPort);
    const sender = grpcTransport(1n, `127.0.0.1:${peerPort}`, [{ id: 2n, address: `127.0.0.1:${port}` }]);
    const recorder = await startMember(sender);
    await msUntilAnswered(sender, recorder);
    peer.kill('SIGSTOP');
    // So long that keepalive gives up on both sides, and that attempts to connect are left hanging.
    const end = performance.now() + 3000;
    while (performance.now() < end) {
      sender.send(2n, appendEntries(0, 10, 1000));
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    expect(recorder.unreachablePeers).toContain(2n);
    peer.kill('SIGCONT');
    expect(await msUntilAnswered(sender, recorder)).toBeLessThan(2 * soonMs);
  });

  function startEchoPeer(port: number, peerPort: number): ChildProcess {
    const transportModule = require.resolve('../../src/transport/grpc-transport');
    const loggerModule = require.resolve('../../src/base/logger');
    const options = { transportModule, loggerModule, tuning: testTuning, clusterId: String(clusterId), port, peerPort };
    const peer = fork(join(__dirname, '../support/echo-peer.cjs'), [JSON.stringify(options)], { execArgv: [] });
    cleanups.push(() => peer.kill('SIGKILL'));
    return peer;
  }

  /** Sends heartbeats until one is answered that was sent from now on; how long it took. */
  async function msUntilAnswered(sender: GrpcTransport, recorder: Recorder): Promise<number> {
    const start = performance.now();
    const readRound = Math.ceil(start);
    await until(() => {
      sender.send(2n, { ...appendEntries(0), readRound });
      return recorder.ofKind('append-entries-response').at(-1)?.readRound === readRound;
    }, 'a heartbeat is answered');
    return performance.now() - start;
  }
});

describe('a peer that does not read', () => {
  it('costs bounded memory, is told, and gets the newest heartbeat first when it reads again', async () => {
    const peer = new DeafPeer();
    cleanups.push(() => peer.close());
    const port = await peer.listen();
    const tuning = { maxQueuedBytes: 8 * 1024 * 1024 };
    const { sender, recorder } = await startSender(`127.0.0.1:${port}`, { tuning });
    await until(() => peer.streams === 1, 'the stream is open');
    const before = bytesInBuffers();
    const [taken, dropped] = flood(sender, 2000);
    const after = bytesInBuffers();
    await until(() => recorder.unreachablePeers.length > 0, 'the drop is told');
    expect(taken * 64 * 1024).toBeLessThan(12 * 1024 * 1024);
    expect(dropped).toBeGreaterThan(1500);
    expect(after - before).toBeLessThan(20 * 1024 * 1024);
    // Once for all that was dropped, not once for each.
    expect(recorder.unreachablePeers.length).toBeLessThan(5);
    // Until the last bytes that HTTP/2 takes are on their way, and nothing moves any more.
    await new Promise((resolve) => setTimeout(resolve, 500));
    for (let round = 1; round <= 100; round++) sender.send(2n, { ...appendEntries(0), readRound: round });
    peer.beginToRead();
    const decoded = (): ReturnType<typeof decodeAppendEntries>[] =>
      peer.heard.map((bytes) => decodeAppendEntries(bytes, 1n, { maxEntryBytes: 1e9 }));
    await until(() => peer.heard.length > taken, 'what was queued and the heartbeat arrive');
    const heartbeats = decoded().flatMap(({ entries, readRound }, at) =>
      entries.length === 0 ? [{ readRound, at }] : [],
    );
    expect(heartbeats).toEqual([{ readRound: 100, at: expect.any(Number) }]);
    // It waits for what the stream already holds and no longer: a few of the 128 messages in the queue.
    expect(heartbeats[0]?.at).toBeLessThan(40);
    expect(decoded().flatMap(({ entries, prevLogIndex }) => (entries.length > 0 ? [prevLogIndex] : []))).toEqual(
      Array.from({ length: taken }, (_, at) => at),
    );
  });

  function bytesInBuffers(): number {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    // The first frees buffers in the background; the second waits for that.
    collect();
    collect();
    return process.memoryUsage().arrayBuffers;
  }

  /** Sends more than anybody may keep; how many messages were taken and dropped. */
  function flood(sender: GrpcTransport, count: number): [number, number] {
    let taken = 0;
    for (let at = 0; at < count; at++) if (sender.send(2n, appendEntries(taken, 1, 64 * 1024))) taken++;
    return [taken, count - taken];
  }
});

describe('a peer of another cluster', () => {
  it('refuses, and both logs say it once, with the likely mistake', async () => {
    const logger = recordingLogger();
    const peerLogger = recordingLogger();
    const stranger = grpcTransport(2n, '127.0.0.1:0', [{ id: 1n, address: '127.0.0.1:1' }], {
      clusterId: 99n,
      logger: peerLogger,
    });
    const heard = await startMember(stranger);
    const { sender } = await startSender(`127.0.0.1:${stranger.boundPort}`, { logger });
    const end = performance.now() + 1500;
    while (performance.now() < end) {
      sender.send(2n, appendEntries(0));
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    expect(heard.received).toEqual([]);
    const errors = logger.lines.filter(({ level }) => level === 'error');
    expect(errors).toHaveLength(1);
    expect(errors[0]?.reason).toContain('this is member 2 of cluster 99');
    expect(errors[0]?.reason).toContain('--cluster-name');
    expect(peerLogger.lines.filter(({ text }) => text.includes('stranger'))).toHaveLength(1);
  });
});

describe('start', () => {
  it('refuses an address that is taken, with a sentence that says what to do', async () => {
    const { receiver } = await startReceiver('127.0.0.1:0');
    const second = grpcTransport(2n, `127.0.0.1:${receiver.boundPort}`, []);
    await expect(second.start(new Recorder())).rejects.toMatchObject({
      code: 'refused-to-start',
      message: expect.stringMatching(/cannot listen for peers on .* --peer-listen/),
    });
    await second.stop();
  });
});

describe('stop', () => {
  const patient = { tuning: { stopTimeoutMs: 20_000 } };

  it('is prompt on a member that others are connected to', async () => {
    const receiver = grpcTransport(2n, '127.0.0.1:0', [{ id: 1n, address: '127.0.0.1:1' }], patient);
    const recorder = await startMember(receiver);
    const { sender } = await startSender(`127.0.0.1:${receiver.boundPort}`);
    await msUntilHeard(sender, recorder);
    const start = performance.now();
    await receiver.stop();
    expect(performance.now() - start).toBeLessThan(soonMs);
  });

  it('is prompt on a member that is connected to others', async () => {
    const { receiver, recorder } = await startReceiver('127.0.0.1:0');
    const { sender } = await startSender(`127.0.0.1:${receiver.boundPort}`, patient);
    await msUntilHeard(sender, recorder);
    const start = performance.now();
    await sender.stop();
    expect(performance.now() - start).toBeLessThan(soonMs);
  });

  const member = { 'quorate-cluster-id': String(clusterId), 'quorate-from': '1', 'quorate-to': '2' };

  it.each([
    ['strangers', {}, allPaths],
    ['members', member, streamPaths],
  ])('does not wait for calls of %s that never end, and closes their connections', async (_, metadata, paths) => {
    const { receiver } = await startReceiver('127.0.0.1:0');
    const holder = connectHttp2(`http://127.0.0.1:${receiver.boundPort}`);
    cleanups.push(() => holder.destroy());
    holder.on('error', () => undefined);
    for (const path of paths) {
      const headers = { ':method': 'POST', ':path': path, 'content-type': 'application/grpc', ...metadata };
      holder.request(headers).on('error', () => undefined);
    }
    await new Promise((resolve) => holder.once('remoteSettings', resolve));
    const closed = once(holder, 'close');
    const start = performance.now();
    await receiver.stop();
    await closed;
    expect(performance.now() - start).toBeLessThan(soonMs);
  });
});
