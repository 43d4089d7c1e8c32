import { seededRng } from '../../../src/base/rng';
import { simpleConfiguration } from '../../../src/raft';
import { Agenda } from '../../../src/sim/world/agenda';
import { Network, type NetworkQuality } from '../../../src/sim/world/network';
import type { PeerMessage } from '../../../src/transport/transport';

const good: NetworkQuality = { minDelayMs: 1, meanJitterMs: 5, lossRate: 0, duplicationRate: 0, reorderRate: 0 };

function build(quality: Partial<NetworkQuality> = {}) {
  const agenda = new Agenda();
  const observer = {
    sent: () => undefined,
    gone: () => undefined,
    deliver: (_from: bigint, _to: bigint, arrive: () => void) => {
      arrive();
    },
  };
  const network = new Network(
    { agenda, rng: seededRng(1), observer },
    { quality: { ...good, ...quality }, snapshotChunkBytes: 10 },
  );
  for (const id of [1n, 2n]) network.add(id);
  const arrived: number[] = [];
  const lost: bigint[] = [];
  const taken: Uint8Array[] = [];
  const sink = {
    write: (bytes: Uint8Array) => {
      taken.push(bytes);
      return Promise.resolve();
    },
    finish: () => Promise.resolve(),
    abort: () => undefined,
  };
  const gone: bigint[] = [];
  const reached: bigint[] = [];
  const now = (tell: () => void) => {
    tell();
  };
  const [one, two] = [network.transport(1n, now), network.transport(2n, now)];
  one.updatePeers([{ id: 2n, address: 'two:1' }]);
  two.updatePeers([{ id: 1n, address: 'one:1' }]);
  const others = {
    acceptSnapshot: () => Promise.resolve(sink),
    admit: () => true,
    refused: () => undefined,
  };
  void one.start({
    receive: () => undefined,
    unreachable: (peer) => lost.push(peer),
    gone: (peer) => gone.push(peer),
    reached: (peer) => reached.push(peer),
    ...others,
  });
  void two.start({
    receive: (_, message) => arrived.push('term' in message ? message.term : -1),
    unreachable: () => undefined,
    gone: () => undefined,
    reached: () => undefined,
    ...others,
  });
  const run = () => {
    while (agenda.runNext(agenda.now + 100_000));
  };
  const sendMany = (count: number, make: (at: number) => PeerMessage = (at) => ({ kind: 'timeout-now', term: at })) => {
    for (let at = 0; at < count; at++) one.send(2n, make(at));
    run();
  };
  const settle = async () => {
    for (let turn = 0; turn < 100; turn++) {
      agenda.runNext(agenda.now + 100_000);
      await Promise.resolve();
    }
  };
  return { network, arrived, lost, gone, reached, taken, one, two, run, sendMany, settle, link: network.link(1n, 2n) };
}

/** A snapshot of these bytes. */
function snapshotOf(bytes: Uint8Array) {
  const configuration = { index: 1, configuration: simpleConfiguration([1n, 2n]), context: new Uint8Array(0) };
  return {
    ...{ term: 1, description: { last: { index: 5, term: 1 }, configuration } },
    ...{ sizeBytes: bytes.length, sha256: new Uint8Array(32) },
    read: (offset: number, maxBytes: number) => Promise.resolve(bytes.subarray(offset, offset + maxBytes)),
  };
}

const counting = Array.from({ length: 200 }, (_, at) => at);
const forward = (term: number): PeerMessage => ({ kind: 'forward-proposals', requestId: 1, term, payloads: [] });

describe('The simulated network', () => {
  it('tells who reaches a process that ends that it is gone, if its machine still answers', () => {
    const { network, gone, run } = build();
    network.unplug(2n, true);
    run();
    expect(gone).toEqual([2n]);
  });

  it('tells who starts whom it reaches, and again when a link works again', () => {
    const { network, reached, link, run } = build();
    run();
    expect(reached).toEqual([2n]);
    network.setCut(link, true);
    run();
    network.setCut(link, false);
    run();
    expect(reached).toEqual([2n, 2n]);
  });

  it('tells of nobody that is reached over a cut link, or is not there', () => {
    const cut = build();
    cut.network.setCut(cut.link, true);
    cut.run();
    const ended = build();
    ended.network.unplug(2n);
    ended.run();
    expect([...cut.reached, ...ended.reached]).toEqual([]);
  });

  it('tells nothing of the end of a machine, and of a process that nobody reaches', () => {
    const silent = build();
    silent.network.unplug(2n);
    silent.run();
    const cut = build();
    cut.network.setCut(cut.link, true);
    cut.network.unplug(2n, true);
    cut.run();
    expect([...silent.gone, ...cut.gone]).toEqual([]);
  });

  it('may take a member for gone that lives, when it refuses a connection', () => {
    const { network, gone, link, run } = build();
    network.setCut(link, true, true);
    run();
    expect(gone).toEqual([2n]);
  });

  it('keeps the order of a link', () => {
    const { arrived, sendMany } = build();
    sendMany(200);
    expect(arrived).toEqual(counting);
  });

  it('loses, repeats and reorders messages of the core', () => {
    const { arrived, sendMany } = build({ lossRate: 0.2, duplicationRate: 0.2, reorderRate: 0.2 });
    sendMany(200);
    expect(new Set(arrived).size).toBeLessThan(200);
    expect(new Set(arrived).size).toBeLessThan(arrived.length);
    expect([...arrived].sort((a, b) => a - b)).not.toEqual(arrived);
  });

  it('delivers forwarded proposals at most once and in order', () => {
    const { arrived, sendMany } = build({ duplicationRate: 0.9, reorderRate: 0.9 });
    sendMany(200, forward);
    expect(arrived).toEqual(counting);
  });

  it('delivers nothing over a cut link, not even what was on its way', () => {
    const { arrived, lost, one, network, link, run, sendMany } = build();
    one.send(2n, { kind: 'timeout-now', term: 1 });
    network.setCut(link, true);
    sendMany(3);
    expect(arrived).toEqual([]);
    network.setCut(link, true, true);
    run();
    expect(lost).toEqual([2n]);
    expect(one.send(2n, { kind: 'timeout-now', term: 1 })).toBe(false);
    network.heal();
    sendMany(3);
    expect(arrived).toEqual([0, 1, 2]);
  });

  it('holds what a clogged link was given, and delivers it when the link opens', () => {
    const { arrived, network, link, run, sendMany } = build();
    network.setClogged(link, true);
    sendMany(3);
    expect(arrived).toEqual([]);
    network.setClogged(link, false);
    run();
    expect(arrived).toEqual([0, 1, 2]);
  });

  it('holds on a jammed link what is no snapshot', async () => {
    const { arrived, taken, one, network, link, sendMany, settle } = build();
    network.setJammed(link, true);
    sendMany(3);
    void one.sendSnapshot(2n, snapshotOf(Buffer.from('the state')));
    await settle();
    expect(Buffer.concat(taken).toString()).toBe('the state');
    expect(arrived).toEqual([]);
    network.setJammed(link, false);
    await settle();
    expect(arrived).toEqual([0, 1, 2]);
  });

  it('keeps holding what a second trouble of the link holds', () => {
    const { arrived, network, link, run, sendMany } = build();
    network.setJammed(link, true);
    network.setClogged(link, true);
    sendMany(3);
    network.setClogged(link, false);
    run();
    expect(arrived).toEqual([]);
    network.heal();
    run();
    expect(arrived).toEqual([0, 1, 2]);
  });

  it('lets one answer through a jammed link, the oldest', () => {
    const { arrived, network, link, run, sendMany } = build();
    network.setJammed(link, true);
    const answer = (term: number): PeerMessage => ({
      ...{ kind: 'append-entries-response', success: true, matchIndex: term, readRound: 0, term },
      followsClosely: false,
    });
    sendMany(1);
    sendMany(3, (at) => answer(at + 10));
    network.letAnswerThrough(link);
    run();
    expect(arrived).toEqual([10]);
  });

  it('damages snapshots where something stands', async () => {
    const bytes = new Uint8Array(100);
    bytes[42] = 0xff;
    const { taken, one, network, settle } = build();
    network.corruptionRate = 1;
    void one.sendSnapshot(2n, snapshotOf(bytes));
    await settle();
    const found = Buffer.concat(taken);
    const changed = [...found.keys()].filter((at) => found[at] !== bytes[at]);
    expect(found).toHaveLength(100);
    expect(changed).toEqual([42]);
  });

  it('tells a sender that nobody listens', () => {
    const { lost, two, sendMany } = build();
    void two.stop();
    sendMany(1);
    expect(lost).toEqual([2n]);
  });
});
