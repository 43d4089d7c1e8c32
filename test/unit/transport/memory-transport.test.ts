/** MemoryNetwork: snapshot transfers as packets that may be lost, doubled and cut off, the same way every time. */
import { QuorateError } from '../../../src/base/error';
import { MemoryNetwork } from '../../../src/transport/memory-transport';
import type { Transport } from '../../../src/transport/transport';
import { snapshotBytes, snapshotOf, violations } from '../../support/snapshots';
import { Recorder } from '../../support/transport';

const bytes = snapshotBytes(1000);
const options = { snapshotChunkBytes: 300 };

interface Pair {
  readonly network: MemoryNetwork;
  readonly sender: Transport;
  readonly receiver: Transport;
  readonly recorder: Recorder;
  /** Filled when the transfer settles: its error's code, or `sent`. */
  readonly outcomes: string[];
}

async function startTransfer(): Promise<Pair> {
  const network = new MemoryNetwork(options);
  const [sender, receiver] = [network.transport(1n), network.transport(2n)];
  sender.updatePeers([{ id: 2n, address: '' }]);
  const recorder = new Recorder();
  await sender.start(new Recorder());
  await receiver.start(recorder);
  const outcomes: string[] = [];
  sender.sendSnapshot(2n, snapshotOf(bytes)).then(
    () => outcomes.push('sent'),
    (error: unknown) => outcomes.push(error instanceof QuorateError ? error.code : String(error)),
  );
  return { network, sender, receiver, recorder, outcomes };
}

/** Lets promises settle. */
async function settle(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

/** Delivers until nothing moves; tells each packet before it goes. */
async function run({ network }: Pair, before: (count: number) => void = () => undefined): Promise<number> {
  let count = 0;
  await settle();
  while (network.packets.length > 0) {
    before(count);
    if (network.packets.length > 0) network.deliver();
    await settle();
    count++;
  }
  return count;
}

/** Header, four chunks and the end, each acknowledged. */
const packetsOfTransfer = 12;
const endAt = packetsOfTransfer - 2;

afterEach(() => {
  expect(violations.splice(0)).toEqual([]);
});

describe('a snapshot transfer in memory', () => {
  it('is a packet for each chunk and one back, until all has arrived', async () => {
    const pair = await startTransfer();
    expect(await run(pair)).toBe(packetsOfTransfer);
    expect(pair.outcomes).toEqual(['sent']);
    expect(pair.recorder.sinks[0]?.chunks.map(({ length }) => length)).toEqual([300, 300, 300, 100]);
    expect(pair.recorder.sinks[0]?.bytes.equals(bytes)).toBe(true);
  });

  it('is the same every time', async () => {
    const trace = async (): Promise<string[]> => {
      const pair = await startTransfer();
      const lines: string[] = [];
      await run(pair, () => {
        const [packet] = pair.network.packets;
        if (packet?.message.kind === 'snapshot') lines.push(`${packet.from} ${packet.message.step.kind}`);
      });
      return lines;
    };
    expect(await trace()).toEqual(await trace());
  });

  const places = Array.from({ length: packetsOfTransfer }, (_, at) => at);
  // Once the receiver has everything, losing the last word changes nothing there.
  const isFinished = (at: number): boolean => at === packetsOfTransfer - 1;

  it.each(places)('breaks off at both ends when packet %d is lost', async (at) => {
    const pair = await startTransfer();
    await run(pair, (count) => {
      if (count === at) pair.network.drop();
    });
    expect(pair.outcomes).toEqual(['unreachable']);
    expect(pair.recorder.sinks.map(({ end }) => end)).toEqual(at === 0 ? [] : [isFinished(at) ? 'finish' : 'abort']);
  });

  it.each(places)('breaks off at both ends when the link is cut before packet %d', async (at) => {
    const pair = await startTransfer();
    await run(pair, (count) => {
      if (count === at) pair.network.disconnect(1n, 2n);
    });
    expect(pair.outcomes).toEqual(['unreachable']);
    expect(pair.recorder.sinks.map(({ end }) => end)).toEqual(at === 0 ? [] : [isFinished(at) ? 'finish' : 'abort']);
  });

  it.each(places)('never delivers wrong bytes when packet %d arrives twice (N6)', async (at) => {
    const pair = await startTransfer();
    let isDoubled = false;
    await run(pair, (count) => {
      if (count !== at) return;
      pair.network.duplicate();
      isDoubled = true;
    });
    expect(isDoubled).toBe(true);
    expect(pair.outcomes).toHaveLength(1);
    const [sink] = pair.recorder.sinks;
    if (pair.outcomes[0] === 'sent') expect(sink?.bytes.equals(bytes)).toBe(true);
    else expect(sink?.end).toBe(at === endAt ? 'finish' : 'abort');
  });

  it('tells the sender when the receiver is gone', async () => {
    const pair = await startTransfer();
    await pair.receiver.stop();
    await run(pair);
    expect(pair.outcomes).toEqual(['unreachable']);
  });

  it('does not go on into the next life of the receiver', async () => {
    const pair = await startTransfer();
    for (let count = 0; count < 4; count++) {
      pair.network.deliver();
      await settle();
    }
    await pair.receiver.stop();
    const again = new Recorder();
    await pair.network.transport(2n).start(again);
    await run(pair);
    expect(pair.outcomes).toEqual(['unreachable']);
    expect(again.offers).toEqual([]);
    expect(pair.recorder.sinks[0]?.end).toBe('abort');
  });
});

describe('what is forwarded to be done', () => {
  it.each(['forward-proposals', 'forward-change'] as const)('cannot arrive twice: %s', async (kind) => {
    const { network, sender } = await startTransfer();
    network.drop();
    sender.send(2n, { kind, requestId: 1, term: 1, payloads: [], payload: Buffer.alloc(0) });
    expect(() => {
      network.duplicate();
    }).toThrow('what is forwarded arrives at most once');
  });
});
