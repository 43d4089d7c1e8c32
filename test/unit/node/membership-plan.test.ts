import type { DirectoryEntry } from '../../../src/node/member-directory';
import { planMembership, type MembershipPlan } from '../../../src/node/membership-plan';
import { simpleConfiguration } from '../../../src/raft';

function member(id: number, name = `m${id}`): DirectoryEntry {
  const at = `127.0.0.1:${1000 + 2 * id}`;
  return {
    id: BigInt(id),
    name,
    peerAddress: `${at}1`,
    clientAddress: `${at}2`,
    promoteWhenReady: false,
    awaitsStart: false,
  };
}

const three = [member(1), member(2), member(3)];
const voters = simpleConfiguration([1n, 2n, 3n]);

function refusalOf(plan: MembershipPlan): string | undefined {
  return plan.ok ? undefined : plan.refusal;
}

describe('A plan for the members', () => {
  it('adds a learner, whatever it shall become', () => {
    const wish = { $case: 'add', value: { member: { ...member(4), promoteWhenReady: true } } } as const;
    expect(planMembership(wish, three, voters)).toEqual({
      ok: true,
      changes: [{ kind: 'add-learner', member: 4n }],
      members: [...three, { ...member(4), promoteWhenReady: true }],
    });
  });

  it.each([
    ['name', { ...member(4), name: 'm2' }, 'there is a member m2 already'],
    ['peer address', { ...member(4), peerAddress: member(2).peerAddress }, 'm2 is reached at'],
    ['client address', { ...member(4), clientAddress: member(2).clientAddress }, 'm2 is reached at'],
    ['id', { ...member(4), id: 2n }, 'the id of m4 is that of m2'],
  ])('refuses a new member with the %s of another', (_, added, refusal) => {
    const plan = planMembership({ $case: 'add', value: { member: added } }, three, voters);
    expect(refusalOf(plan)).toContain(refusal);
  });

  it('takes members of which nobody knows yet where clients reach them', () => {
    const [first, ...others] = three;
    const unknown = [...others, ...(first === undefined ? [] : [{ ...first, clientAddress: '' }])];
    const added = { ...member(4), clientAddress: '' };
    expect(planMembership({ $case: 'add', value: { member: added } }, unknown, voters)).toMatchObject({ ok: true });
  });

  it('keeps a member that leaves in the directory, so that it can be told, and drops it with the next change', () => {
    const removal = planMembership({ $case: 'remove', value: { name: 'm3' } }, three, voters);
    expect(removal).toEqual({ ok: true, changes: [{ kind: 'remove', member: 3n }], members: three });
    const two = simpleConfiguration([1n, 2n]);
    const next = planMembership({ $case: 'add', value: { member: member(4) } }, three, two);
    expect(next.ok && next.members.map(({ name }) => name)).toEqual(['m1', 'm2', 'm4']);
  });

  it('gives the name and the addresses of a member that left to another', () => {
    const two = simpleConfiguration([1n, 2n]);
    const back = { ...member(3), id: 77n };
    expect(planMembership({ $case: 'add', value: { member: back } }, three, two)).toMatchObject({ ok: true });
  });

  it('replaces a member in one step, also under its own name and addresses', () => {
    const next = { ...member(3), id: 77n };
    const plan = planMembership({ $case: 'replace', value: { name: 'm3', member: next } }, three, voters);
    expect(plan).toEqual({
      ok: true,
      changes: [
        { kind: 'remove', member: 3n },
        { kind: 'add-voter', member: 77n },
      ],
      members: [...three, next],
    });
    const clash = { ...next, peerAddress: member(1).peerAddress };
    const refused = planMembership({ $case: 'replace', value: { name: 'm3', member: clash } }, three, voters);
    expect(refusalOf(refused)).toContain('m1 is reached at');
  });

  it('promotes learners only', () => {
    const configuration = { ...simpleConfiguration([1n, 2n]), learners: [3n] };
    const plan = planMembership({ $case: 'promote', value: { name: 'm3' } }, three, configuration);
    expect(plan).toMatchObject({ ok: true, changes: [{ kind: 'add-voter', member: 3n }] });
    const again = planMembership({ $case: 'promote', value: { name: 'm2' } }, three, configuration);
    expect(refusalOf(again)).toBe('m2 votes already');
  });

  it('moves a member without a change of who belongs; an empty address stays as it is', () => {
    const wish = { $case: 'update', value: { name: 'm2', peerAddress: 'elsewhere:1', clientAddress: '' } } as const;
    const plan = planMembership(wish, three, voters);
    expect(plan).toEqual({
      ok: true,
      changes: [],
      members: [member(1), { ...member(2), peerAddress: 'elsewhere:1' }, member(3)],
    });
    const same = { ...wish, value: { ...wish.value, peerAddress: member(2).peerAddress } };
    expect(refusalOf(planMembership(same, three, voters))).toBe('m2 is reached there already');
    const taken = { ...wish, value: { ...wish.value, peerAddress: member(1).peerAddress } };
    expect(refusalOf(planMembership(taken, three, voters))).toContain('m1 is reached at');
  });

  it.each([
    { $case: 'remove', value: { name: 'm9' } } as const,
    { $case: 'promote', value: { name: 'm9' } } as const,
    { $case: 'update', value: { name: 'm9', peerAddress: 'a:1', clientAddress: '' } } as const,
    { $case: 'replace', value: { name: 'm9', member: member(4) } } as const,
  ])('names the members when the one that is meant is not there: $$case', (wish) => {
    expect(refusalOf(planMembership(wish, three, voters))).toBe('there is no member m9; the members are m1, m2, m3');
  });
});

describe('the place of a member that was added', () => {
  const added = { ...member(4), awaitsStart: true };
  const claim = (id: bigint) => ({ $case: 'claim', value: { id } }) as const;

  it('goes to the first that claims it, and to no second one (M7)', () => {
    const configuration = { ...simpleConfiguration([1n, 2n, 3n]), learners: [4n] };
    const plan = planMembership(claim(4n), [...three, added], configuration);
    expect(plan).toEqual({ ok: true, changes: [], members: [...three, { ...added, awaitsStart: false }] });
    const again = planMembership(claim(4n), plan.ok ? plan.members : [], configuration);
    expect(again).toMatchObject({ ok: false, refusal: expect.stringContaining('has been started before') as string });
  });

  it('is nobody else’s: not a first member’s, and not that of somebody who left', () => {
    const configuration = simpleConfiguration([1n, 2n, 3n]);
    expect(planMembership(claim(1n), three, configuration)).toMatchObject({ ok: false });
    expect(planMembership(claim(4n), [...three, added], configuration)).toMatchObject({
      ok: false,
      refusal: 'there is no member with the id 4 any more',
    });
  });
});
