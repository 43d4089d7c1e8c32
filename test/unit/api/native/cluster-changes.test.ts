/** The calls that change the members: what is checked, what is wished, what is told afterwards. */
import {
  addMember,
  promoteMember,
  removeMember,
  replaceMember,
  transferLeadership,
  updateMember,
} from '../../../../src/api/native/cluster-changes';
import { QuorateError } from '../../../../src/base/error';
import { Standing } from '../../../../src/gen/quorate/v1/cluster';
import { FakeMembership } from '../../../support/fake-membership';

const member = (number: number) => ({
  id: BigInt(number),
  name: `m${String(number)}`,
  peerAddress: `p${String(number)}:2380`,
  clientAddress: `c${String(number)}:2379`,
});
const newMember = { name: 'm4', peerAddress: 'p4:2380', clientAddress: 'c4:2379' };

/** Three members, led by m1, and a clock that moves by what is waited for. */
function cluster() {
  const membership = new FakeMembership([member(1), member(2), member(3)], 1n);
  let now = 0;
  const needs = {
    membership,
    status: () => ({ leader: membership.leader }),
    scheduler: {
      now: () => now,
      after: (delayMs: number, callback: () => void) => {
        now += delayMs;
        queueMicrotask(callback);
        return { cancel: () => undefined };
      },
    },
  };
  return { membership, needs, call: { deadline: 1000 }, now: () => now };
}

describe('adding a member', () => {
  it('gives it a new id, and promotion when it has caught up (thesis §4.2.1)', async () => {
    const { membership, needs, call } = cluster();
    const { member: added } = await addMember(needs, { ...newMember, learner: false }, call);
    expect(membership.wishes).toEqual([
      { $case: 'add', value: { member: { id: 100n, ...newMember, promoteWhenReady: true, awaitsStart: true } } },
    ]);
    expect(added).toEqual({ id: 100n, ...newMember, standing: Standing.LEARNER });
  });

  it('leaves it a learner when asked to', async () => {
    const { membership, needs, call } = cluster();
    await addMember(needs, { ...newMember, learner: true }, call);
    expect(membership.wishes[0]).toMatchObject({ value: { member: { promoteWhenReady: false } } });
  });

  it('tells its standing as it is by then', async () => {
    const { membership, needs, call } = cluster();
    membership.behaviour = () => {
      membership.listed.push({ id: 100n, ...newMember, standing: 'voter', awaitsStart: false });
      return Promise.resolve();
    };
    const { member: added } = await addMember(needs, { ...newMember, learner: false }, call);
    expect(added?.standing).toBe(Standing.VOTER);
  });

  it('tells it also when somebody has removed it meanwhile', async () => {
    const { membership, needs, call } = cluster();
    membership.behaviour = () => Promise.resolve();
    const { member: added } = await addMember(needs, { ...newMember, learner: false }, call);
    expect(added).toMatchObject({ id: 100n, name: 'm4' });
  });

  it.each([
    ['name', { name: '' }],
    ['name', { name: 'a b' }],
    ['name', { name: 'x'.repeat(64) }],
    ['peer_address', { peerAddress: '' }],
    ['peer_address', { peerAddress: 'host' }],
    ['peer_address', { peerAddress: 'host:0' }],
    ['client_address', { clientAddress: 'host:65536' }],
    ['client_address', { clientAddress: 'h'.repeat(5000) }],
  ])('refuses a malformed %s and asks nobody: %j', async (field, wrong) => {
    const { membership, needs, call } = cluster();
    const error = await failure(addMember(needs, { ...newMember, learner: false, ...wrong }, call));
    expect(error).toMatchObject({ code: 'invalid-argument', outcome: 'not-done', details: { field } });
    expect(error.message.length).toBeLessThan(300);
    expect(membership.wishes).toEqual([]);
  });
});

describe('replacing a member', () => {
  it('names both, gives the new one a new id, and tells it as listed', async () => {
    const { membership, needs, call } = cluster();
    const request = { ...newMember, name: 'm3', newName: 'm3' };
    const { member: next } = await replaceMember(needs, request, call);
    const entry = { ...newMember, id: 100n, name: 'm3', promoteWhenReady: false, awaitsStart: true };
    expect(membership.wishes).toEqual([{ $case: 'replace', value: { name: 'm3', member: entry } }]);
    expect(next).toMatchObject({ id: 100n, name: 'm3', peerAddress: 'p4:2380', standing: Standing.VOTER });
  });

  it('refuses a malformed new name', async () => {
    const { needs, call } = cluster();
    const error = await failure(replaceMember(needs, { ...newMember, name: 'm3', newName: '' }, call));
    expect(error.details.field).toBe('new_name');
  });
});

describe('removing and promoting a member', () => {
  it('wish it by name', async () => {
    const { membership, needs, call } = cluster();
    await removeMember(needs, { name: 'm2' }, call);
    await promoteMember(needs, { name: 'm3' }, call);
    expect(membership.wishes).toEqual([
      { $case: 'remove', value: { name: 'm2' } },
      { $case: 'promote', value: { name: 'm3' } },
    ]);
  });

  it('pass on a refusal as it is', async () => {
    const { membership, needs, call } = cluster();
    membership.behaviour = () => Promise.reject(new QuorateError('change-refused', 'm3 votes already'));
    await expect(promoteMember(needs, { name: 'm3' }, call)).rejects.toMatchObject({ message: 'm3 votes already' });
  });
});

describe('moving a member', () => {
  it('takes one address and leaves the other as it is', async () => {
    const { membership, needs, call } = cluster();
    await updateMember(needs, { name: 'm2', peerAddress: '', clientAddress: 'new:1' }, call);
    expect(membership.wishes).toEqual([
      { $case: 'update', value: { name: 'm2', peerAddress: '', clientAddress: 'new:1' } },
    ]);
  });

  it.each([
    ['peer_address', { peerAddress: '', clientAddress: '' }],
    ['peer_address', { peerAddress: 'x', clientAddress: 'new:1' }],
    ['client_address', { peerAddress: 'new:1', clientAddress: 'x' }],
  ])('refuses %s: %j', async (field, addresses) => {
    const { membership, needs, call } = cluster();
    const error = await failure(updateMember(needs, { name: 'm2', ...addresses }, call));
    expect(error.details.field).toBe(field);
    expect(membership.wishes).toEqual([]);
  });
});

describe('transferring leadership (thesis §3.10)', () => {
  it('returns once this member knows that the chosen one leads', async () => {
    const { membership, needs, call, now } = cluster();
    membership.behaviour = () => {
      membership.leader = undefined;
      setImmediate(() => (membership.leader = 2n));
      return Promise.resolve();
    };
    needs.scheduler.after = afterTurn(needs.scheduler.after);
    const { leader } = await transferLeadership(needs, { name: 'm2' }, call);
    expect(leader).toMatchObject({ id: 2n, name: 'm2' });
    expect(now()).toBeGreaterThan(0);
  });

  it('without a name waits for any other leader', async () => {
    const { membership, needs, call } = cluster();
    membership.behaviour = () => {
      membership.leader = 3n;
      return Promise.resolve();
    };
    expect((await transferLeadership(needs, { name: '' }, call)).leader).toMatchObject({ name: 'm3' });
    expect(membership.wishes).toEqual([{ $case: 'transfer', value: { name: '' } }]);
  });

  it('to the leader itself returns at once', async () => {
    const { needs, call, now } = cluster();
    expect((await transferLeadership(needs, { name: 'm1' }, call)).leader).toMatchObject({ name: 'm1' });
    expect(now()).toBe(0);
  });

  it('is of unknown outcome when no new leader is known at the deadline', async () => {
    const { membership, needs, call, now } = cluster();
    membership.behaviour = () => Promise.resolve();
    const error = await failure(transferLeadership(needs, { name: 'm2' }, call));
    expect(error).toMatchObject({ code: 'outcome-unknown', outcome: 'unknown' });
    expect(now()).toBe(1000);
  });
});

/** Waits for the turn of the event loop to end before a timer fires. */
function afterTurn(after: (delayMs: number, callback: () => void) => { cancel: () => undefined }) {
  return (delayMs: number, callback: () => void) => after(delayMs, () => void setImmediate(callback));
}

async function failure(call: Promise<unknown>): Promise<QuorateError> {
  const error: unknown = await call.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof QuorateError) return error;
  throw new Error('the call should have failed with a QuorateError');
}
