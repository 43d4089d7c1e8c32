/** What every transport promises of snapshots, checked on each of them. */
import { deferred } from '../../src/base/deferred';
import { QuorateError } from '../../src/base/error';
import type { OutgoingSnapshot } from '../../src/transport/transport';
import { RecordingSink, refusal, snapshotBytes, snapshotOf, violations } from '../support/snapshots';
import { appendEntries } from '../support/transport';
import { Bench, networks, type BenchMember } from '../support/transport-bench';

const bytes = snapshotBytes(2_500_000);
/** What both ends, HTTP/2 and the sockets hold between them at most, bytes: 7 MB were measured. */
const heldMost = 12_000_000;
/** More than that: its end cannot be on its way while the sink takes nothing. */
const large = snapshotBytes(20_000_000);

describe.each(networks)('sendSnapshot: %s', (_name, makeNetwork) => {
  let bench: Bench;
  let sender: BenchMember;
  let receiver: BenchMember;

  beforeEach(async () => {
    bench = new Bench(await makeNetwork());
    [sender, receiver] = await bench.startConnectedPair();
    violations.length = 0;
  });

  afterEach(async () => {
    await bench.stopAll();
    expect(violations).toEqual([]);
  });

  function send(snapshot: OutgoingSnapshot = snapshotOf(bytes)): Promise<unknown> {
    return bench.outcomeOf(sender.transport.sendSnapshot(2n, snapshot));
  }

  /** The one sink of the receiver, once it was closed. */
  async function closedSink(): Promise<RecordingSink> {
    await bench.flowUntil(() => receiver.recorder.sinks[0]?.end !== undefined);
    expect(receiver.recorder.sinks).toHaveLength(1);
    return receiver.recorder.sinks[0] ?? new RecordingSink();
  }

  /**
   * Begins a transfer and stops it in a write, while flow control keeps the end of it from being on its way; the act then
   * breaks it.
   */
  async function breakInTheMiddle(act: () => unknown): Promise<unknown> {
    const gate = deferred<void>();
    const sink = new RecordingSink();
    sink.onWrite = (received) => (received > bytes.length / 2 ? gate.promise : undefined);
    receiver.recorder.onOffer = () => sink;
    const sending = sender.transport.sendSnapshot(2n, snapshotOf(large));
    sending.catch(() => undefined);
    await bench.flowUntil(() => sink.receivedBytes > bytes.length / 2);
    await act();
    await bench.flow();
    gate.resolve();
    return bench.outcomeOf(sending);
  }

  it('brings 10 MB and their description over unchanged', async () => {
    const large = snapshotBytes(10_000_001);
    const snapshot = snapshotOf(large);
    expect(await send(snapshot)).toBeUndefined();
    const sink = await closedSink();
    expect(sink.bytes.equals(large)).toBe(true);
    expect(sink.end).toBe('finish');
    const { term, description, sizeBytes, sha256 } = snapshot;
    expect(receiver.recorder.offers).toEqual([{ from: 1n, offer: { term, description, sizeBytes, sha256 } }]);
  });

  it('brings a single byte over', async () => {
    expect(await send(snapshotOf(Buffer.from('x')))).toBeUndefined();
    expect((await closedSink()).bytes.toString()).toBe('x');
  });

  it('bears reads that return less than was asked for', async () => {
    const read = (offset: number, maxBytes: number): Promise<Buffer> =>
      Promise.resolve(bytes.subarray(offset, offset + Math.min(maxBytes, 10_007)));
    expect(await send(snapshotOf(bytes, { read }))).toBeUndefined();
    expect((await closedSink()).bytes.equals(bytes)).toBe(true);
  });

  it('asks for the bytes in order, one read at a time', async () => {
    let expected = 0;
    let running = 0;
    const read = async (offset: number, maxBytes: number): Promise<Buffer> => {
      expect([offset, running++]).toEqual([expected, 0]);
      await new Promise((resolve) => setImmediate(resolve));
      running--;
      const data = bytes.subarray(offset, offset + maxBytes);
      expected += data.length;
      return data;
    };
    expect(await send(snapshotOf(bytes, { read }))).toBeUndefined();
    expect(expected).toBe(bytes.length);
  });

  it('resolves only when the sink has finished', async () => {
    const gate = deferred<void>();
    const sink = new RecordingSink();
    sink.onFinish = () => gate.promise;
    receiver.recorder.onOffer = () => sink;
    let isDone = false;
    const sending = sender.transport.sendSnapshot(2n, snapshotOf(bytes)).then(() => void (isDone = true));
    await bench.flowUntil(() => sink.end === 'finish');
    await bench.flow();
    expect(isDone).toBe(false);
    gate.resolve();
    expect(await bench.outcomeOf(sending)).toBeUndefined();
  });

  it.each(['overloaded', 'superseded', 'damaged'] as const)(
    'rejects with %s when the receiver refuses so',
    async (code) => {
      receiver.recorder.onOffer = () => Promise.reject(refusal(code));
      expect(await send()).toMatchObject({ code, message: expect.stringContaining('not today') });
      expect(receiver.recorder.sinks).toEqual([]);
    },
  );

  it.each(['onWrite', 'onFinish'] as const)('rejects when the sink rejects in %s', async (call) => {
    const sink = new RecordingSink();
    sink[call] = () => Promise.reject(refusal('damaged'));
    receiver.recorder.onOffer = () => sink;
    expect(await send()).toMatchObject({ code: 'damaged', message: expect.stringContaining('not today') });
    // Whoever rejects in finish has tidied up.
    expect((await closedSink()).calls).toEqual(
      call === 'onWrite' ? ['write', 'abort'] : expect.not.arrayContaining(['abort']),
    );
  });

  it('rejects with unreachable when the receiver fails in a way of its own', async () => {
    receiver.recorder.onOffer = () => Promise.reject(new TypeError('a bug'));
    expect(await send()).toMatchObject({ code: 'unreachable' });
  });

  it.each([
    ['fails', () => Promise.reject(new Error('EIO'))],
    ['returns nothing', () => Promise.resolve(Buffer.alloc(0))],
    ['returns too much', (_offset: number, maxBytes: number) => Promise.resolve(Buffer.alloc(maxBytes + 1))],
  ])('rejects with damaged, and aborts, when a read %s', async (_what, badRead) => {
    const read = (offset: number, maxBytes: number): Promise<Uint8Array> =>
      offset > bytes.length / 2
        ? badRead(offset, maxBytes)
        : Promise.resolve(bytes.subarray(offset, offset + maxBytes));
    expect(await send(snapshotOf(bytes, { read }))).toMatchObject({ code: 'damaged' });
    expect((await closedSink()).end).toBe('abort');
  });

  it('rejects with unreachable, and aborts, when the receiver stops', async () => {
    const error = await breakInTheMiddle(() => bench.stop(receiver));
    expect(error).toMatchObject({ code: 'unreachable' });
    expect((await closedSink()).end).toBe('abort');
  });

  it('rejects with stopping, and aborts, when the sender stops', async () => {
    const error = await breakInTheMiddle(() => bench.stop(sender));
    expect(error).toMatchObject({ code: 'stopping' });
    expect((await closedSink()).end).toBe('abort');
  });

  it('rejects with stopping, and aborts, when the peer is removed', async () => {
    const error = await breakInTheMiddle(() => {
      sender.transport.updatePeers([]);
    });
    expect(error).toMatchObject({ code: 'stopping' });
    expect((await closedSink()).end).toBe('abort');
  });

  it('aborts when it breaks off while the receiver still thinks about the offer', async () => {
    const gate = deferred<RecordingSink>();
    receiver.recorder.onOffer = () => gate.promise;
    const sending = sender.transport.sendSnapshot(2n, snapshotOf(bytes));
    sending.catch(() => undefined);
    await bench.flowUntil(() => receiver.recorder.offers.length > 0);
    sender.transport.updatePeers([]);
    await bench.flow();
    gate.resolve(new RecordingSink());
    expect(await bench.outcomeOf(sending)).toBeInstanceOf(QuorateError);
    expect((await closedSink()).calls).toEqual(['abort']);
  });

  it('rejects at once for a member that is no peer, and after stop', async () => {
    await expect(sender.transport.sendSnapshot(9n, snapshotOf(bytes))).rejects.toMatchObject({ code: 'unreachable' });
    await bench.stop(sender);
    await expect(sender.transport.sendSnapshot(2n, snapshotOf(bytes))).rejects.toMatchObject({ code: 'stopping' });
  });

  it('rejects with unreachable for a peer that is not there', async () => {
    const error = await bench.outcomeOf(sender.transport.sendSnapshot(3n, snapshotOf(bytes)));
    expect(error).toMatchObject({ code: 'unreachable' });
  });

  it('sends one at a time to a peer, and the next after a failure', async () => {
    const error = await breakInTheMiddle(async () => {
      const second = sender.transport.sendSnapshot(2n, snapshotOf(bytes));
      await expect(second).rejects.toMatchObject({ code: 'overloaded' });
      await bench.stop(receiver);
    });
    expect(error).toMatchObject({ code: 'unreachable' });
    receiver = await bench.start(2n);
    await bench.reach(sender, receiver);
    expect(await send()).toBeUndefined();
  });

  it('reads no further than a slow sink lets it, and messages pass by', async () => {
    let readBytes = 0;
    const gate = deferred<void>();
    const sink = new RecordingSink();
    sink.onWrite = (received) => (received > 1_000_000 ? gate.promise : undefined);
    receiver.recorder.onOffer = () => sink;
    const sending = sender.transport.sendSnapshot(
      2n,
      snapshotOf(large, {
        read: (offset, maxBytes) => {
          readBytes = offset + maxBytes;
          return Promise.resolve(large.subarray(offset, offset + maxBytes));
        },
      }),
    );
    await bench.flowUntil(() => sink.receivedBytes > 1_000_000);
    await bench.flow(30);
    expect(readBytes).toBeLessThan(heldMost);
    await bench.reach(sender, receiver);
    expect(receiver.recorder.messages.at(-1)).toEqual(appendEntries(0));
    gate.resolve();
    expect(await bench.outcomeOf(sending)).toBeUndefined();
    expect(sink.bytes.equals(large)).toBe(true);
  });
});
