/** Recognises the peers: a member id stays with one disk whose lives follow each other (invariant M7). */
import type { Clock } from '../base/clock';
import type { Incarnation } from '../base/incarnation';
import type { Logger } from '../base/logger';
import type { MemberId } from '../raft';

/** What a registry works with. */
export interface PeerRegistryParts {
  /** What was noted before this member started. */
  readonly known: ReadonlyMap<MemberId, Incarnation>;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Belongs to the configuration in force. */
  isMember(peer: MemberId): boolean;
  /** Makes it durable what a peer is known by from now on. */
  note(peer: MemberId, incarnation: Incarnation): void;
}

/**
 * While so many are remembered, a peer that is no member is let in without being remembered: strangers must not fill the
 * disk. (Who is none yet as far as this member, being new, has heard, is remembered.)
 */
const maxKnown = 1000;

/** The same peer is complained about no more often than this, ms. */
const complaintIntervalMs = 60_000;

/**
 * Admits what follows from what it knows: the same disk, opened as often or more often. Refuses another disk, a disk that
 * was set back, and one of two copies of a disk that were both started. Whom it hears of for the first time, it trusts.
 */
export class PeerRegistry {
  readonly #parts: PeerRegistryParts;
  readonly #known: Map<MemberId, Incarnation>;
  readonly #complainedAt = new Map<MemberId, number>();

  constructor(parts: PeerRegistryParts) {
    this.#parts = parts;
    this.#known = new Map(parts.known);
  }

  /** @param found undefined: the peer runs an earlier program, which tells none */
  admit(peer: MemberId, found: Incarnation | undefined): boolean {
    const known = this.#known.get(peer);
    const objection = known === undefined ? undefined : objectionTo(found, known);
    if (objection !== undefined) {
      this.#complain(peer, objection);
      return false;
    }
    if (found !== undefined && found.run !== known?.run) this.#remember(peer, found);
    return true;
  }

  #remember(peer: MemberId, incarnation: Incarnation): void {
    const isFull = this.#known.size >= maxKnown;
    if (isFull && !this.#known.has(peer) && !this.#parts.isMember(peer)) return;
    this.#known.set(peer, incarnation);
    this.#parts.note(peer, incarnation);
  }

  #complain(peer: MemberId, reason: string): void {
    const now = this.#parts.clock.now();
    if (now - (this.#complainedAt.get(peer) ?? -Infinity) < complaintIntervalMs) return;
    this.#complainedAt.set(peer, now);
    const fields = { peer, reason };
    this.#parts.logger.error(fields, 'does not admit a peer that is not the one it was; replace that member');
  }
}

/** What contradicts that `found` is the member that `known` was. */
function objectionTo(found: Incarnation | undefined, known: Incarnation): string | undefined {
  if (found === undefined) return 'it tells no incarnation any more: it runs an earlier program';
  if (found.disk !== known.disk) {
    return 'it has another disk: its data was lost, or two processes were given the same id';
  }
  const boots = `its disk was opened ${String(found.boots)} times, and ${String(known.boots)} times before`;
  if (found.boots < known.boots) return `its data was set back to an older copy: ${boots}`;
  if (found.boots > known.boots || found.run === known.run) return undefined;
  return 'two copies of its data were started: this one is not the one known here';
}
