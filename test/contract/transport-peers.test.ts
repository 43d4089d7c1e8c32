/** What every transport promises of peers that come, go and move, checked on each of them. */
import { appendEntries } from '../support/transport';
import { Bench, networks, type BenchMember } from '../support/transport-bench';

describe.each(networks)('updatePeers: %s', (_name, makeNetwork) => {
  let bench: Bench;

  beforeEach(async () => {
    bench = new Bench(await makeNetwork());
  });

  afterEach(async () => {
    await bench.stopAll();
  });

  function hasHeard({ recorder }: BenchMember, prevLogIndex: number): boolean {
    return recorder.ofKind('append-entries').some((message) => message.prevLogIndex === prevLogIndex);
  }

  it('there are no peers before the first call', async () => {
    const first = await bench.start(1n, []);
    const second = await bench.start(2n);
    expect(first.transport.send(2n, appendEntries(0))).toBe(false);
    await bench.flow();
    expect(second.recorder.received).toEqual([]);
    expect(first.recorder.unreachablePeers).toEqual([]);
  });

  it('reaches a peer that is added while running', async () => {
    const first = await bench.start(1n, []);
    const second = await bench.start(2n);
    first.transport.updatePeers(bench.addresses([2n]));
    await bench.reach(first, second);
    expect(second.recorder.received[0]).toEqual({ from: 1n, message: appendEntries(0) });
  });

  it('sends nothing to a peer that was removed, but what was handed over just before', async () => {
    const [first, second] = await bench.startConnectedPair();
    first.transport.send(2n, appendEntries(3, 5));
    first.transport.send(2n, { kind: 'timeout-now', term: 9 });
    first.transport.updatePeers(bench.addresses([3n]));
    expect(first.transport.send(2n, appendEntries(8, 1))).toBe(false);
    await bench.flowUntil(() => hasHeard(second, 3) && second.recorder.ofKind('timeout-now').length > 0);
    await bench.flow();
    expect(second.recorder.received).toHaveLength(2);
  });

  it('tells nothing of a peer that was removed', async () => {
    const [first, second] = await bench.startConnectedPair();
    first.transport.updatePeers([]);
    await bench.stop(second);
    await bench.flow(100);
    expect(first.recorder.unreachablePeers).toEqual([]);
  });

  it('reaches a peer that was removed and added again', async () => {
    const [first, second] = await bench.startConnectedPair();
    first.transport.updatePeers([]);
    first.transport.updatePeers(bench.addresses([2n]));
    await bench.reach(first, second);
    await bench.flow(100);
    await bench.reach(first, second);
  });

  it('takes calls of a member that is not among the peers, and answers them', async () => {
    const leader = await bench.start(1n);
    const joining = await bench.start(2n, []);
    joining.recorder.onReceive = (from) => {
      joining.transport.send(from, {
        kind: 'append-entries-response',
        success: true,
        term: 1,
        matchIndex: 4,
        readRound: 0,
        followsClosely: false,
      });
    };
    await bench.flowUntil(
      () => leader.recorder.ofKind('append-entries-response').length > 0,
      () => leader.transport.send(2n, appendEntries(4)),
    );
    expect(joining.recorder.received[0]?.from).toBe(1n);
  });

  it('reaches a peer at its new address', async () => {
    const [first, second] = await bench.startConnectedPair();
    await bench.stop(second);
    await bench.network.move(2n);
    const moved = await bench.start(2n);
    first.transport.updatePeers(bench.addresses([2n, 3n]));
    await bench.reach(first, moved);
  });

  it('leaves alone whoever did not change: nothing on its way is lost', async () => {
    const [first, second] = await bench.startConnectedPair();
    const count = 200;
    for (let at = 0; at < count; at++) {
      first.transport.send(2n, appendEntries(at, 1, 1000));
      if (at % 20 === 0) first.transport.updatePeers(bench.addresses(at % 40 === 0 ? [2n] : [2n, 3n]));
    }
    await bench.flowUntil(() => second.recorder.received.length === count);
    expect(first.recorder.unreachablePeers).not.toContain(2n);
  });
});
