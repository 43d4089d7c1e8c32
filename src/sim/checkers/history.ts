/** What the whole cluster has agreed on so far: it outlives every crash, and every member is measured against it. */
import { reachedByQuorum } from '../../raft';
import type { Configuration, ConfigurationAt, Entry, MemberId } from '../../raft';
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
  /** Those that were committed, in order, and the first of all. */
  readonly configurations: ConfigurationAt[];

  constructor(members: ReadonlyMap<MemberId, MemberView>, configuration: Configuration) {
    this.members = members;
    this.configurations = [{ index: 0, configuration, context: new Uint8Array(0) }];
  }

  committedAt(index: number): Entry | undefined {
    return this.committed[index - 1]?.entry;
  }

  /** The latest that was committed. */
  get configuration(): Configuration {
    return this.configurationAt(Infinity).configuration;
  }

  /** Of those that were committed, the one in force at `index`. */
  configurationAt(index: number): ConfigurationAt {
    const found = this.configurations.findLast((configuration) => configuration.index <= index);
    if (found === undefined) throw new Error('there was a configuration from the beginning');
    return found;
  }

  /** True if a majority of every set of voters fulfils it. Whoever was never seen does not. */
  isQuorum(configuration: Configuration, fulfils: (member: MemberView) => boolean): boolean {
    return reachedByQuorum(configuration, (id) => this.#fulfils(id, fulfils)) >= 1;
  }

  /** True if somebody in every quorum that may still come about fulfils it. */
  isInEveryQuorum(configuration: Configuration, holds: (member: MemberView) => boolean): boolean {
    const fulfils = (member: MemberView): boolean => member.isDead || holds(member);
    return reachedByQuorum(configuration, (id) => 1 - this.#fulfils(id, fulfils)) < 1;
  }

  #fulfils(id: MemberId, fulfils: (member: MemberView) => boolean): 0 | 1 {
    const member = this.members.get(id);
    return member !== undefined && fulfils(member) ? 1 : 0;
  }
}

/** True if a power cut would leave this committed entry, in the log or in the state that took its place. */
export function isHeldDurably({ disk }: MemberView, entry: Entry): boolean {
  return entry.index <= disk.lastRemoved.index || sameEntry(disk.entryAt(entry.index), entry);
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
