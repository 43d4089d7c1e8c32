/** What every transport promises of incarnations: both ends are asked before anything of the other is delivered. */
import type { Incarnation } from '../../src/base/incarnation';
import type { MemberId, RequestVote } from '../../src/raft';
import { snapshotOf } from '../support/snapshots';
import { appendEntries, incarnationOf, Recorder } from '../support/transport';
import { Bench, networks, type BenchMember } from '../support/transport-bench';

const vote: RequestVote = {
  kind: 'request-vote',
  term: 1,
  lastLogIndex: 0,
  lastLogTerm: 0,
  preVote: false,
  leadershipTransfer: false,
};

describe.each(networks)('Incarnations: %s', (_name, makeNetwork) => {
  let bench: Bench;

  beforeEach(async () => {
    bench = new Bench(await makeNetwork());
  });

  afterEach(async () => {
    await bench.stopAll();
  });

  /** Admits everybody but one, from the start. */
  async function startWary(id: MemberId, refused: MemberId): Promise<BenchMember> {
    const recorder = new Recorder();
    recorder.onAdmit = (peer) => peer !== refused;
    return bench.start(id, undefined, { recorder });
  }

  it('each end is told the incarnation of the other, with all its bits', async () => {
    const large: Incarnation = {
      disk: 0xffff_ffff_ffff_ffffn,
      boots: Number.MAX_SAFE_INTEGER,
      run: 0x8000_0000_0000_0001n,
    };
    const first = await bench.start(1n, undefined, { incarnation: large });
    const second = await bench.start(2n);
    await bench.reach(first, second);
    await bench.reach(second, first);
    expect(second.recorder.asked).toContainEqual({ peer: 1n, incarnation: large });
    expect(first.recorder.asked).toContainEqual({ peer: 2n, incarnation: incarnationOf(2n) });
  });

  it('asks once for many messages, not for each', async () => {
    const [first, second] = await bench.startConnectedPair();
    const before = second.recorder.asked.length;
    for (let at = 0; at < 100; at++) first.transport.send(2n, appendEntries(at, 1));
    await bench.flowUntil(() => second.recorder.received.length === 100);
    expect(second.recorder.asked).toHaveLength(before);
  });

  it('delivers nothing of a member that is not admitted, and tells it', async () => {
    const stranger = await bench.start(1n);
    const wary = await startWary(2n, 1n);
    await bench.flowUntil(
      () => stranger.recorder.refusedBy.length > 0,
      () => {
        stranger.transport.send(2n, appendEntries(0));
        stranger.transport.send(2n, vote);
        stranger.transport.send(2n, { kind: 'timeout-now', term: 1 });
      },
    );
    await bench.flow(50);
    expect(stranger.recorder.refusedBy).toContain(2n);
    expect(stranger.recorder.unreachablePeers).toContain(2n);
    expect(wary.recorder.received).toEqual([]);
    expect(wary.recorder.refusedBy).toEqual([]);
  });

  it('delivers no answer of a member that is not admitted', async () => {
    const wary = await startWary(1n, 2n);
    const stranger = await bench.start(2n, []);
    const told = { term: 1, success: true, matchIndex: 4, readRound: 0, followsClosely: false } as const;
    stranger.recorder.onReceive = (from, { kind }) => {
      if (kind === 'append-entries') stranger.transport.send(from, { kind: 'append-entries-response', ...told });
      else stranger.transport.send(from, { kind: 'request-vote-response', term: 1, voteGranted: true, preVote: false });
    };
    await bench.flowUntil(
      () => wary.recorder.asked.length > 0,
      () => {
        wary.transport.send(2n, vote);
        wary.transport.send(2n, appendEntries(4));
      },
    );
    await bench.flow(50);
    expect(wary.recorder.received).toEqual([]);
  });

  it('takes no snapshot of a member that is not admitted', async () => {
    const stranger = await bench.start(1n);
    const wary = await startWary(2n, 1n);
    const error = await bench.outcomeOf(stranger.transport.sendSnapshot(2n, snapshotOf(Buffer.from('content'))));
    expect(error).toBeInstanceOf(Error);
    expect(wary.recorder.offers).toEqual([]);
  });

  it('sends no snapshot to a member that is not admitted', async () => {
    const wary = await startWary(1n, 2n);
    await bench.start(2n, []);
    const error = await bench.outcomeOf(wary.transport.sendSnapshot(2n, snapshotOf(Buffer.from('content'))));
    expect(error).toMatchObject({ code: 'unreachable' });
  });

  it('asks again about a member that started again, and lets one in that is admitted now', async () => {
    const first = await bench.start(1n);
    const second = await startWary(2n, 1n);
    await bench.flowUntil(
      () => first.recorder.refusedBy.length > 0,
      () => first.transport.send(2n, appendEntries(0)),
    );
    await bench.stop(first);
    const next = { ...incarnationOf(1n), boots: 2 };
    second.recorder.onAdmit = (_, incarnation) => incarnation?.boots === 2;
    await bench.reach(await bench.start(1n, undefined, { incarnation: next }), second);
    expect(second.recorder.asked).toContainEqual({ peer: 1n, incarnation: next });
  });
});
