import fc from 'fast-check';
import {
  decodeConfiguration,
  encodeConfiguration,
  enterJoint,
  isJoint,
  isValidConfiguration,
  leaveJoint,
  mayFollow,
  planChange,
  sameConfiguration,
  simpleChange,
  simpleConfiguration,
  type Configuration,
  type MemberChange,
  type MemberId,
} from '../../src/raft';

const ids = Array.from({ length: 7 }, (_, at) => BigInt(at + 1));

/** Every configuration that is not joint, of up to seven members: each id votes, learns, is gone, or was never there. */
const simpleConfigurations: fc.Arbitrary<Configuration> = fc
  .array(fc.constantFrom('voter', 'voter', 'learner', 'removed', 'stranger'), { minLength: 7, maxLength: 7 })
  .map((parts) => {
    const those = (part: string): MemberId[] => ids.filter((_, at) => parts[at] === part);
    return { ...simpleConfiguration(those('voter')), learners: those('learner'), removed: those('removed') };
  })
  .filter(({ voters }) => voters.length > 0);

const wishes: fc.Arbitrary<MemberChange[]> = fc.array(
  fc.record({
    kind: fc.constantFrom('add-voter', 'add-voter', 'remove', 'add-learner'),
    member: fc.constantFrom(...ids),
  }),
  { maxLength: 4 },
);

/** Slow and obvious: what is wished, or undefined where it cannot be. */
function wanted(from: Configuration, changes: readonly MemberChange[]): Configuration | undefined {
  const partOf = new Map<MemberId, string>();
  for (const id of from.voters) partOf.set(id, 'voter');
  for (const id of from.learners) partOf.set(id, 'learner');
  for (const id of from.removed) partOf.set(id, 'removed');
  if (new Set(changes.map(({ member }) => member)).size < changes.length) return undefined;
  for (const { kind, member } of changes) {
    const part = partOf.get(member);
    if (kind === 'remove') {
      if (part !== undefined) partOf.set(member, 'removed');
    } else if (part === 'removed') return undefined;
    else partOf.set(member, kind === 'add-voter' ? 'voter' : 'learner');
  }
  const those = (part: string): MemberId[] => ids.filter((id) => partOf.get(id) === part);
  if (those('voter').length === 0) return undefined;
  return { ...simpleConfiguration(those('voter')), learners: those('learner'), removed: those('removed') };
}

/** All sets of members that decide: more than half of each side that votes. By trying them all. */
function quorums({ voters, outgoing }: Configuration): Set<number> {
  const mask = (members: readonly MemberId[]): number => members.reduce((sum, id) => sum | (1 << Number(id)), 0);
  const count = (bits: number): number => ids.filter((id) => (bits >> Number(id)) & 1).length;
  const all = new Set<number>();
  for (let set = 0; set < 1 << 8; set++) {
    const decides = (side: readonly MemberId[]): boolean =>
      side.length === 0 || count(set & mask(side)) * 2 > side.length;
    if (decides(voters) && decides(outgoing)) all.add(set);
  }
  return all;
}

function alwaysMeet(one: Configuration, other: Configuration): boolean {
  const others = [...quorums(other)];
  return [...quorums(one)].every((a) => others.every((b) => (a & b) !== 0));
}

describe('The algebra of configurations (thesis §4) against a slow oracle', () => {
  const seen = { simple: 0, joint: 0, refused: 0 };

  it('arrives at what was wished, simply or through a joint configuration; or refuses', () => {
    fc.assert(
      fc.property(simpleConfigurations, wishes, (from, changes) => {
        const target = wanted(from, changes);
        const plan = planChange(from, changes);
        if (target === undefined || sameConfiguration(from, target)) {
          seen.refused++;
          expect(plan.ok).toBe(false);
          return;
        }
        if (!plan.ok) throw new Error(`${plan.refusal} for ${JSON.stringify(changes.map(({ kind }) => kind))}`);
        const end = isJoint(plan.configuration) ? leaveJoint(plan.configuration) : plan;
        seen[isJoint(plan.configuration) ? 'joint' : 'simple']++;
        expect(end).toEqual({ ok: true, configuration: target });
      }),
      { numRuns: 2000, seed: 1 },
    );
    expect(Math.min(seen.simple, seen.joint, seen.refused)).toBeGreaterThan(100);
  });

  it('quorums of a configuration and of the next always share a member (invariant M4), n up to 7', () => {
    const runs = { simple: 0, joint: 0 };
    fc.assert(
      fc.property(simpleConfigurations, wishes, (from, changes) => {
        const plan = planChange(from, changes);
        if (!plan.ok) return;
        expect(alwaysMeet(from, plan.configuration)).toBe(true);
        expect(mayFollow(from, plan.configuration)).toBe(true);
        if (!isJoint(plan.configuration)) {
          runs.simple++;
          return;
        }
        const left = leaveJoint(plan.configuration);
        if (!left.ok) throw new Error('a joint configuration can be left');
        expect(alwaysMeet(plan.configuration, left.configuration)).toBe(true);
        expect(mayFollow(plan.configuration, left.configuration)).toBe(true);
        runs.joint++;
      }),
      { numRuns: 250, seed: 2 },
    );
    expect(Math.min(runs.simple, runs.joint)).toBeGreaterThan(15);
  });

  it('mayFollow never says yes where quorums miss each other', () => {
    let refused = 0;
    fc.assert(
      fc.property(simpleConfigurations, simpleConfigurations, (from, to) => {
        if (mayFollow(from, to)) expect(alwaysMeet(from, to)).toBe(true);
        else refused++;
      }),
      { numRuns: 300, seed: 3 },
    );
    expect(refused).toBeGreaterThan(100);
  });

  it('gives only configurations that can be, and never changes what it was given', () => {
    fc.assert(
      fc.property(simpleConfigurations, wishes, fc.boolean(), (from, changes, autoLeave) => {
        const copy = structuredClone(from);
        for (const result of [simpleChange(from, changes), enterJoint(from, changes, autoLeave)]) {
          if (!result.ok) continue;
          expect(isValidConfiguration(result.configuration)).toBe(true);
          if (!isJoint(result.configuration)) continue;
          expect(result.configuration).toMatchObject({ autoLeave, outgoing: from.voters });
          expect(simpleChange(result.configuration, changes)).toEqual({ ok: false, refusal: 'joint' });
          expect(enterJoint(result.configuration, changes, true)).toEqual({ ok: false, refusal: 'joint' });
        }
        expect(leaveJoint(from)).toEqual({ ok: false, refusal: 'not-joint' });
        expect(from).toEqual(copy);
      }),
      { numRuns: 500, seed: 4 },
    );
  });

  it('to wish again what is there changes nothing', () => {
    fc.assert(
      fc.property(simpleConfigurations, wishes, (from, changes) => {
        const once = simpleChange(from, changes);
        if (!once.ok) return;
        expect(simpleChange(once.configuration, changes)).toEqual({ ok: false, refusal: 'no-change' });
      }),
      { numRuns: 500, seed: 5 },
    );
  });
});

describe('A configuration as bytes', () => {
  const jointOnes = fc
    .tuple(simpleConfigurations, wishes, fc.boolean())
    .map(([from, changes, autoLeave]) => enterJoint(from, changes, autoLeave))
    .filter((result) => result.ok)
    .map(({ configuration }) => configuration);
  const configurations = fc.oneof(simpleConfigurations, jointOnes);

  it('comes back as it was, with its context', () => {
    fc.assert(
      fc.property(configurations, fc.uint8Array({ maxLength: 50 }), (configuration, context) => {
        const decoded = decodeConfiguration(encodeConfiguration({ configuration, context }));
        expect(decoded).toEqual({ configuration, context });
      }),
      { numRuns: 500, seed: 6 },
    );
  });

  it('takes full 64-bit ids, and nobody at all', () => {
    const most = simpleConfiguration([1n, 2n ** 63n, 2n ** 64n - 1n]);
    for (const configuration of [most, simpleConfiguration([])]) {
      const bytes = encodeConfiguration({ configuration, context: new Uint8Array() });
      expect(decodeConfiguration(bytes)?.configuration).toEqual(configuration);
    }
  });

  it('garbage is either refused or exactly what some configuration gives', () => {
    const seen = { refused: 0, read: 0 };
    const nearly = fc
      .tuple(configurations, fc.nat(60), fc.nat(255), fc.nat(60))
      .map(([configuration, at, byte, length]) => {
        const bytes = encodeConfiguration({ configuration, context: new Uint8Array() });
        if (at < bytes.length) bytes[at] = byte;
        return length % 2 === 0 ? bytes : bytes.slice(0, length);
      });
    fc.assert(
      fc.property(fc.oneof(nearly, fc.uint8Array({ maxLength: 60 })), (bytes) => {
        const decoded = decodeConfiguration(bytes);
        seen[decoded === undefined ? 'refused' : 'read']++;
        if (decoded !== undefined) expect(encodeConfiguration(decoded)).toEqual(bytes);
      }),
      { numRuns: 2000, seed: 7 },
    );
    expect(Math.min(seen.refused, seen.read)).toBeGreaterThan(100);
  });

  it.each<[string, Partial<Configuration>]>([
    ['an id 0', { voters: [0n, 1n] }],
    ['an id of more than 64 bits', { voters: [1n, 2n ** 64n] }],
    ['a member twice', { voters: [1n, 1n] }],
    ['a part that is not sorted', { voters: [2n, 1n] }],
    ['a learner that votes', { learners: [1n] }],
    ['a former member that votes', { removed: [1n] }],
    ['no voter but a learner', { voters: [], learners: [1n] }],
    ['an end of what is not joint', { autoLeave: true }],
    ['a future learner that does not vote now', { outgoing: [2n], learnersNext: [3n] }],
    ['a future learner that votes in the future', { outgoing: [1n, 2n], learnersNext: [1n] }],
  ])('%s cannot be, and is not written', (_, part) => {
    const configuration = { ...simpleConfiguration([1n]), ...part };
    expect(isValidConfiguration(configuration)).toBe(false);
    expect(() => encodeConfiguration({ configuration, context: new Uint8Array() })).toThrow('can be');
  });
});
