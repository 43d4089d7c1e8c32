/** When a read may be answered from this member's copy. */
import { ReadGate } from '../../../src/api/read-gate';
import { QuorateError } from '../../../src/base/error';

const call = { deadline: 1000 };
const stale = { consistency: 2, maxStaleness: undefined, minRevision: 0 };
const within = (milliseconds: number) => ({
  ...stale,
  maxStaleness: { seconds: BigInt(Math.floor(milliseconds / 1000)), nanos: (milliseconds % 1000) * 1e6 },
});

/** A gate over a leader that can be asked, at a clock that the test moves. */
function gateAt(now = 0) {
  const state = {
    now,
    revision: 5,
    barriers: 0,
    staleReads: 0,
    takesMs: 0,
    revisionAfter: 5,
    error: undefined as Error | undefined,
  };
  const proposer = {
    readBarrier: () => {
      state.barriers++;
      state.now += state.takesMs;
      if (state.error !== undefined) return Promise.reject(state.error);
      state.revision = state.revisionAfter;
      return Promise.resolve();
    },
  };
  const reader = {
    get revision() {
      return state.revision;
    },
  };
  const onStaleRead = (): void => {
    state.staleReads++;
  };
  return {
    state,
    gate: new ReadGate({ proposer, reader, attention: { onStaleRead }, clock: { now: () => state.now } }),
  };
}

describe('the gate of reads', () => {
  it.each([0, 1])('asks the leader for every linearizable read (consistency %d; thesis §6.4)', async (consistency) => {
    const { state, gate } = gateAt();
    await gate.admit({ ...stale, consistency }, call);
    await gate.admit({ ...stale, consistency }, call);
    expect(state).toMatchObject({ barriers: 2, staleReads: 0 });
  });

  it('asks nobody for a stale read without a bound', async () => {
    const { state, gate } = gateAt();
    await gate.admit(stale, call);
    expect(state).toMatchObject({ barriers: 0, staleReads: 1 });
  });

  it('asks once for a bounded read, and not again while the bound holds', async () => {
    const { state, gate } = gateAt();
    await gate.admit(within(500), call);
    state.now = 500;
    await gate.admit(within(500), call);
    expect(state.barriers).toBe(1);
    state.now = 501;
    await gate.admit(within(500), call);
    expect(state.barriers).toBe(2);
  });

  it('counts the age of the copy from when the leader was asked, not from its answer', async () => {
    const { state, gate } = gateAt();
    state.takesMs = 300;
    await gate.admit({ ...stale, consistency: 1 }, call);
    state.now = 501;
    await gate.admit(within(500), call);
    expect(state.barriers).toBe(2);
  });

  it('says what it cannot promise when the leader cannot be asked, and why', async () => {
    const { state, gate } = gateAt();
    await gate.admit(within(500), call);
    state.now = 2000;
    state.error = new QuorateError('no-quorum', 'no quorum answered');
    const refused = gate.admit(within(500), call);
    await expect(refused).rejects.toMatchObject({
      code: 'no-quorum',
      details: { limit: 'at most 500 ms old', actual: 'last known to be current 2000 ms ago' },
    });
    await expect(gate.admit(within(2500), call)).resolves.toBeUndefined();
  });

  it('asks the leader when the copy has not reached a revision, and refuses one that nobody has made', async () => {
    const { state, gate } = gateAt();
    await gate.admit({ ...stale, minRevision: 5 }, call);
    expect(state.barriers).toBe(0);
    state.revisionAfter = 8;
    await gate.admit({ ...stale, minRevision: 7 }, call);
    expect(state.barriers).toBe(1);
    await expect(gate.admit({ ...stale, minRevision: 9 }, call)).rejects.toMatchObject({
      code: 'future-revision',
      details: { limit: 'revision 8' },
    });
    await expect(gate.reached(9, call)).rejects.toMatchObject({ code: 'future-revision' });
    await expect(gate.reached(8, call)).resolves.toBeUndefined();
  });

  it.each([
    ['a bound that contradicts the consistency', { ...within(1), consistency: 1 }, 'max_staleness'],
    ['a negative bound', { ...stale, maxStaleness: { seconds: -1n, nanos: 0 } }, 'max_staleness'],
    ['a bound of more than a day', { ...stale, maxStaleness: { seconds: 86_401n, nanos: 0 } }, 'max_staleness'],
    ['a negative revision', { ...stale, minRevision: -1 }, 'min_revision'],
    ['a consistency that it does not know', { ...stale, consistency: 7 }, 'consistency'],
  ])('refuses %s', async (_, demand, field) => {
    await expect(gateAt().gate.admit(demand, call)).rejects.toMatchObject({
      code: 'invalid-argument',
      details: { field },
    });
  });
});
