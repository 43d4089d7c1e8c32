/** What the whole cluster has agreed on so far: it outlives every crash, and every member is measured against it. */
import type { Configuration, Entry, MemberId } from '../../raft';
import type { MemberView } from './member-view';

/** A committed entry, and the term of the leader that committed it. */
export interface Committed {
  readonly entry: Entry;
  readonly term: number;
}

/** Shared by all checkers. */
export class History {
  /** By index - 1. */
  readonly committed: Committed[] = [];
  /** Who led, by term. */
  readonly leaders = new Map<number, MemberId>();
  readonly members: ReadonlyMap<MemberId, MemberView>;
  configuration: Configuration;

  constructor(members: ReadonlyMap<MemberId, MemberView>, configuration: Configuration) {
    this.members = members;
    this.configuration = configuration;
  }

  committedAt(index: number): Entry | undefined {
    return this.committed[index - 1]?.entry;
  }

  /** True if a majority of every set of voters fulfils it. */
  isQuorum(fulfils: (member: MemberView) => boolean): boolean {
    const { voters, outgoing } = this.configuration;
    return [voters, outgoing].every((set) => set.length === 0 || this.#count(set, fulfils) * 2 > set.length);
  }

  #count(set: readonly MemberId[], fulfils: (member: MemberView) => boolean): number {
    let count = 0;
    for (const id of set) {
      const member = this.members.get(id);
      if (member !== undefined && fulfils(member)) count++;
    }
    return count;
  }
}

/** Equal in every respect. */
export function sameEntry(a: Entry | undefined, b: Entry | undefined): boolean {
  if (a === b) return true;
  if (a === undefined || b === undefined) return false;
  return a.index === b.index && a.term === b.term && a.kind === b.kind && sameBytes(a.payload, b.payload);
}

export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a === b) return true;
  return Buffer.compare(a, b) === 0;
}
