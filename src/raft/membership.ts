/** Configurations and how one becomes another (thesis §4). Pure; every function checks what it is given. */
import { assert } from '../base/assert';
import type { Configuration, MemberId } from './types';

/** The parts of a configuration that are lists of ids, in the order in which they are stored. */
export const configurationParts = ['voters', 'outgoing', 'learners', 'learnersNext', 'removed'] as const;

/** Most ids in one part: what two bytes can count. */
const maxPartSize = 65_535;

/** One wish. Several together make an arbitrary change, done through a joint configuration (thesis §4.3). */
export type MemberChange =
  /** Vote from now on; a learner is promoted, a voter stays. */
  | { readonly kind: 'add-voter'; readonly member: MemberId }
  /** Receive the log and count for nothing; a voter is demoted. */
  | { readonly kind: 'add-learner'; readonly member: MemberId }
  /** Leave. Removing a member that is not there changes nothing. */
  | { readonly kind: 'remove'; readonly member: MemberId };

/** Why a change is refused. */
export type ChangeRefusal =
  /** Nothing would be different (for a leader: not even the context). */
  | 'no-change'
  /** There would be no voter left. */
  | 'no-voters'
  /** A simple change may touch one voter only. */
  | 'not-simple'
  /** The configuration is joint already. */
  | 'joint'
  /** The configuration is not joint. */
  | 'not-joint'
  /** One member is named twice. */
  | 'named-twice'
  /** The id belonged to a former member, and ids are never given again (invariant M7). */
  | 'id-was-used'
  /** Voters, learners or former members would be more than 65,535. */
  | 'too-many';

/** A new configuration, or why there is none. */
export type ChangeResult =
  | { readonly ok: true; readonly configuration: Configuration }
  | { readonly ok: false; readonly refusal: ChangeRefusal };

/** A configuration of voters only. */
export function simpleConfiguration(voters: readonly MemberId[]): Configuration {
  return { voters: sorted(voters), outgoing: [], learners: [], learnersNext: [], autoLeave: false, removed: [] };
}

/** True if two sets of voters must agree (thesis §4.3). */
export function isJoint(configuration: Configuration): boolean {
  return configuration.outgoing.length > 0;
}

/** True if the member may vote and be elected. */
export function isVoter(configuration: Configuration, member: MemberId): boolean {
  return configuration.voters.includes(member) || configuration.outgoing.includes(member);
}

/** True if the member belongs to the configuration in any part. */
export function isMember(configuration: Configuration, member: MemberId): boolean {
  return isVoter(configuration, member) || configuration.learners.includes(member);
}

/** Everybody who receives the log, each once. */
export function allMembers(configuration: Configuration): readonly MemberId[] {
  return [...new Set([...configuration.voters, ...configuration.outgoing, ...configuration.learners])];
}

/**
 * A change that needs no joint configuration: at most one voter more or less, so that any majority of the old one and
 * any of the new one share a member (thesis §4.1). Learners may change freely.
 */
export function simpleChange(from: Configuration, changes: readonly MemberChange[]): ChangeResult {
  if (isJoint(from)) return refuse('joint');
  const target = targetOf(from, changes);
  if (!target.ok) return target;
  if (voterDifference(from, target.configuration) > 1) return refuse('not-simple');
  return target;
}

/**
 * Enters a joint configuration, in which the old voters and the new ones must both agree. A voter that becomes a learner
 * goes on voting among the old ones until the joint configuration is left.
 *
 * @param autoLeave the leader leaves it by itself once it is committed
 */
export function enterJoint(from: Configuration, changes: readonly MemberChange[], autoLeave: boolean): ChangeResult {
  if (isJoint(from)) return refuse('joint');
  const target = targetOf(from, changes);
  if (!target.ok) return target;
  const { voters, learners } = target.configuration;
  const isOutgoing = (member: MemberId): boolean => from.voters.includes(member);
  return accept({
    voters,
    outgoing: from.voters,
    learners: learners.filter((member) => !isOutgoing(member)),
    learnersNext: learners.filter(isOutgoing),
    autoLeave,
    // Who still votes among the old ones is not gone yet.
    removed: target.configuration.removed.filter((member) => !isOutgoing(member)),
  });
}

/** Leaves a joint configuration: only the new voters count. */
export function leaveJoint(from: Configuration): ChangeResult {
  if (!isJoint(from)) return refuse('not-joint');
  const { voters, outgoing, learners, learnersNext } = from;
  const gone = outgoing.filter((member) => !voters.includes(member) && !learnersNext.includes(member));
  return accept({
    voters,
    outgoing: [],
    learners: sorted([...learners, ...learnersNext]),
    learnersNext: [],
    autoLeave: false,
    removed: sorted([...from.removed, ...gone]),
  });
}

/** The way from one configuration to what is wished: simple where that is enough, joint otherwise. */
export function planChange(from: Configuration, changes: readonly MemberChange[]): ChangeResult {
  const simple = simpleChange(from, changes);
  return !simple.ok && simple.refusal === 'not-simple' ? enterJoint(from, changes, true) : simple;
}

/**
 * True if the second configuration may directly follow the first in a log: any majority that decides under the one
 * shares a member with any that decides under the other (invariant M4), and no former member returns (invariant M7).
 */
export function mayFollow(from: Configuration, to: Configuration): boolean {
  if (from.removed.some((member) => !to.removed.includes(member))) return false;
  if (isJoint(from)) return !isJoint(to) && sameSet(from.voters, to.voters);
  return isJoint(to) ? sameSet(from.voters, to.outgoing) : voterDifference(from, to) <= 1;
}

/** True if the same members vote, on the same sides. */
export function sameVoters(a: Configuration, b: Configuration): boolean {
  return sameSet(a.voters, b.voters) && sameSet(a.outgoing, b.outgoing);
}

/** True if both hold the same members in the same parts. */
export function sameConfiguration(a: Configuration, b: Configuration): boolean {
  return a.autoLeave === b.autoLeave && configurationParts.every((part) => sameSet(a[part], b[part]));
}

/**
 * True if this is a configuration that can be: parts sorted, without doubles and of bounded size, no id 0, nobody in two
 * parts that exclude each other, somebody who votes (unless it is entirely empty, as before the first contact).
 */
export function isValidConfiguration(configuration: Configuration): boolean {
  const { voters, outgoing, learners, learnersNext, removed, autoLeave } = configuration;
  if (!configurationParts.every((part) => isProperPart(configuration[part]))) return false;
  const everybody = [...new Set([...voters, ...outgoing]), ...learners, ...removed];
  if (new Set(everybody).size !== everybody.length) return false;
  if (autoLeave && outgoing.length === 0) return false;
  if (!learnersNext.every((member) => outgoing.includes(member) && !voters.includes(member))) return false;
  return voters.length > 0 || (everybody.length === 0 && learnersNext.length === 0);
}

function targetOf(from: Configuration, changes: readonly MemberChange[]): ChangeResult {
  const voters = new Set(from.voters);
  const learners = new Set(from.learners);
  const removed = new Set(from.removed);
  const named = new Set<MemberId>();
  for (const { kind, member } of changes) {
    assert(member !== 0n, 'a member id is not zero');
    if (named.has(member)) return refuse('named-twice');
    named.add(member);
    if (kind !== 'remove' && removed.has(member)) return refuse('id-was-used');
    const wasMember = voters.delete(member) || learners.delete(member);
    if (kind === 'remove' && wasMember) removed.add(member);
    if (kind === 'add-voter') voters.add(member);
    if (kind === 'add-learner') learners.add(member);
  }
  if (voters.size === 0) return refuse('no-voters');
  if (Math.max(voters.size, learners.size, removed.size) > maxPartSize) return refuse('too-many');
  const parts = { learners: sorted([...learners]), removed: sorted([...removed]) };
  const target = { ...simpleConfiguration([...voters]), ...parts };
  return sameConfiguration(from, target) ? refuse('no-change') : accept(target);
}

function voterDifference(a: Configuration, b: Configuration): number {
  const added = b.voters.filter((voter) => !a.voters.includes(voter)).length;
  const removed = a.voters.filter((voter) => !b.voters.includes(voter)).length;
  return added + removed;
}

function isProperPart(members: readonly MemberId[]): boolean {
  if (members.length > maxPartSize) return false;
  return members.every((member, at) => member > (members[at - 1] ?? 0n) && member < 1n << 64n);
}

function sameSet(a: readonly MemberId[], b: readonly MemberId[]): boolean {
  return a.length === b.length && a.every((member) => b.includes(member));
}

/** Ascending, so that equal configurations have equal bytes. */
function sorted(members: readonly MemberId[]): readonly MemberId[] {
  return [...members].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
}

function accept(configuration: Configuration): ChangeResult {
  return { ok: true, configuration };
}

function refuse(refusal: ChangeRefusal): ChangeResult {
  return { ok: false, refusal };
}
