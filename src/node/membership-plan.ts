/** What a wish about the members means for the configuration in force. Pure. */
import { unreachable } from '../base/assert';
import type { MembershipRequest } from '../gen/quorate/peer/v1/membership';
import type { Configuration, MemberChange } from '../raft';
import { standingOf, type DirectoryEntry } from './member-directory';

/** What can be asked of the leader beside proposals and reads. */
export type Wish = NonNullable<MembershipRequest['wish']>;

/** A wish that changes the configuration. */
export type MemberWish = Exclude<Wish, { $case: 'transfer' }>;

/** What to ask of the core, and the directory that goes with it; or why the wish makes no sense, for people. */
export type MembershipPlan =
  | { readonly ok: true; readonly changes: readonly MemberChange[]; readonly members: readonly DirectoryEntry[] }
  | { readonly ok: false; readonly refusal: string };

/**
 * Works out a wish. The new directory keeps members that leave, so that they can be told; those that had left before are
 * dropped from it.
 */
export function planMembership(
  wish: MemberWish,
  directory: readonly DirectoryEntry[],
  configuration: Configuration,
): MembershipPlan {
  const members = directory.filter(({ id }) => standingOf(configuration, id) !== undefined);
  switch (wish.$case) {
    case 'add':
      return add(entryOf(wish.value.member), members);
    case 'remove':
      return remove(wish.value.name, members);
    case 'replace':
      return replace(wish.value.name, entryOf(wish.value.member), members);
    case 'promote':
      return promote(wish.value.name, members, configuration);
    case 'update':
      return update(wish.value, members);
    case 'claim':
      return claim(wish.value.id, members);
    default:
      return unreachable(wish);
  }
}

function add(member: DirectoryEntry, members: readonly DirectoryEntry[]): MembershipPlan {
  const refusal = conflictWith(member, members);
  if (refusal !== undefined) return { ok: false, refusal };
  return { ok: true, changes: [{ kind: 'add-learner', member: member.id }], members: [...members, member] };
}

function remove(name: string, members: readonly DirectoryEntry[]): MembershipPlan {
  const member = members.find((it) => it.name === name);
  if (member === undefined) return unknownMember(name, members);
  return { ok: true, changes: [{ kind: 'remove', member: member.id }], members };
}

function replace(name: string, next: DirectoryEntry, members: readonly DirectoryEntry[]): MembershipPlan {
  const member = members.find((it) => it.name === name);
  if (member === undefined) return unknownMember(name, members);
  const others = members.filter((it) => it !== member);
  const refusal = conflictWith(next, others);
  if (refusal !== undefined) return { ok: false, refusal };
  const changes: MemberChange[] = [
    { kind: 'remove', member: member.id },
    { kind: 'add-voter', member: next.id },
  ];
  return { ok: true, changes, members: [...members, next] };
}

function promote(name: string, members: readonly DirectoryEntry[], configuration: Configuration): MembershipPlan {
  const member = members.find((it) => it.name === name);
  if (member === undefined) return unknownMember(name, members);
  if (standingOf(configuration, member.id) !== 'learner') return { ok: false, refusal: `${name} votes already` };
  return { ok: true, changes: [{ kind: 'add-voter', member: member.id }], members };
}

function update(
  wish: { readonly name: string; readonly peerAddress: string; readonly clientAddress: string },
  members: readonly DirectoryEntry[],
): MembershipPlan {
  const member = members.find((it) => it.name === wish.name);
  if (member === undefined) return unknownMember(wish.name, members);
  const moved = {
    ...member,
    peerAddress: wish.peerAddress === '' ? member.peerAddress : wish.peerAddress,
    clientAddress: wish.clientAddress === '' ? member.clientAddress : wish.clientAddress,
  };
  const others = members.filter((it) => it !== member);
  const refusal = conflictWith(moved, others);
  if (refusal !== undefined) return { ok: false, refusal };
  if (moved.peerAddress === member.peerAddress && moved.clientAddress === member.clientAddress) {
    return { ok: false, refusal: `${wish.name} is reached there already` };
  }
  return { ok: true, changes: [], members: members.map((it) => (it === member ? moved : it)) };
}

/** The place of a member that was added goes to one process (invariant M7). */
function claim(id: bigint, members: readonly DirectoryEntry[]): MembershipPlan {
  const member = members.find((it) => it.id === id);
  if (member === undefined) return { ok: false, refusal: `there is no member with the id ${id} any more` };
  if (!member.awaitsStart) {
    const refusal =
      `${member.name} has been started before; if its data is lost, replace it (quorate member replace ${member.name}): ` +
      'a member never comes back without what it had acknowledged';
    return { ok: false, refusal };
  }
  const started = { ...member, awaitsStart: false };
  return { ok: true, changes: [], members: members.map((it) => (it === member ? started : it)) };
}

/** Two members may share neither name, nor id, nor an address; one that is not known yet is no address. */
function conflictWith(member: DirectoryEntry, others: readonly DirectoryEntry[]): string | undefined {
  for (const other of others) {
    if (other.name === member.name) return `there is a member ${member.name} already`;
    if (other.id === member.id) return `the id of ${member.name} is that of ${other.name}`;
    for (const property of ['peerAddress', 'clientAddress'] as const) {
      if (member[property] !== '' && other[property] === member[property])
        return `${other.name} is reached at ${member[property]} already`;
    }
  }
  return undefined;
}

function unknownMember(name: string, members: readonly DirectoryEntry[]): MembershipPlan {
  return {
    ok: false,
    refusal: `there is no member ${name}; the members are ${members.map((it) => it.name).join(', ')}`,
  };
}

function entryOf(member: DirectoryEntry | undefined): DirectoryEntry {
  return (
    member ?? { id: 0n, name: '', peerAddress: '', clientAddress: '', promoteWhenReady: false, awaitsStart: false }
  );
}
