/** What a kind of fault is: how often it strikes, what it does, and how it ends. */
import type { Rng } from '../../base/rng';
import type { MemberId } from '../../raft';
import type { SimMember } from '../world/member';
import type { Moment } from '../world/moments';
import type { Network } from '../world/network';

/** What faults may do to the world. */
export interface Victim {
  readonly members: readonly SimMember[];
  readonly network: Network;
  /** The running member that leads in the latest term, as far as it knows itself. */
  readonly leader: SimMember | undefined;
  /** Starts a process that is down; nothing if it is up, or dead. */
  restart(member: SimMember): void;
  /** True if this member may be lost for ever and a quorum is left. */
  maySacrifice(member: SimMember): boolean;
  /** Something happens a little later, unless the fault has ended meanwhile. */
  after(delayMs: number, run: () => void): void;
  /** Something happens when one of these next happens to any member, unless the fault has ended meanwhile. */
  atNext(moment: Moment, run: (member: SimMember) => void): void;
  /** The same as `after`, in any case. */
  later(delayMs: number, run: () => void): void;
}

/** A fault at work. */
export interface Fault {
  /** For readers of the trace. */
  readonly what: string;
  /** Whom it strikes. */
  readonly members: readonly MemberId[];
  readonly lastsMs: number;
  end(): void;
}

export interface FaultKind {
  readonly name: string;
  /** It breaks what leader leases assume of clocks and leaders (thesis §6.4.1): not for seeds that have them. */
  readonly breaksLeases?: boolean;
  /** It came when seeds were in use: it is drawn apart, so that the other plans of old seeds stay what they were. */
  readonly isLater?: boolean;
  /** The mean time between two of them in a seed that has this kind. */
  readonly meanGapMs: number;
  /** Strikes, or finds nothing to strike. */
  strike(victim: Victim, rng: Rng): Fault | undefined;
}

/** Usually short, sometimes long enough for several elections. */
export function duration(rng: Rng): number {
  const shape = rng.nextUint32() % 8;
  const most = shape < 4 ? 1000 : shape < 7 ? 4000 : 15_000;
  return 10 + (rng.nextUint32() % most);
}
