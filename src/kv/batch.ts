/** What a batch of entries changes, besides rows: the counters, and what is to be told when all of it is written. */
import type { ApplyListener, Change, LeaseInfo } from './result';
import type { MetaFacts } from './sqlite-meta';

type LeaseEvent =
  { readonly kind: 'renewed'; readonly lease: LeaseInfo } | { readonly kind: 'ended'; readonly id: bigint };

/** Counters that become the store's when the whole batch is written. */
export type DraftFacts = { -readonly [Field in keyof MetaFacts]: MetaFacts[Field] };

export class Batch {
  readonly facts: DraftFacts;
  /** Somebody wants to know: otherwise changes are not noted. */
  readonly isObserved: boolean;
  readonly #changes: Change[] = [];
  readonly #leaseEvents: LeaseEvent[] = [];
  #compactedTo: number | undefined;
  /** Requests were forgotten: their rows must go. */
  hasForgotten = false;

  constructor(facts: MetaFacts, isObserved: boolean) {
    this.facts = { ...facts };
    this.isObserved = isObserved;
  }

  changed(change: Change): void {
    this.#changes.push(change);
  }

  leaseRenewed(lease: LeaseInfo): void {
    if (this.isObserved) this.#leaseEvents.push({ kind: 'renewed', lease });
  }

  leaseEnded(id: bigint): void {
    if (this.isObserved) this.#leaseEvents.push({ kind: 'ended', id });
  }

  compacted(revision: number): void {
    this.#compactedTo = revision;
  }

  /** Changes of keys first, then leases, then the compaction. */
  tell(listener: ApplyListener): void {
    if (this.#changes.length > 0) listener.onChanges(this.#changes);
    for (const event of this.#leaseEvents) {
      if (event.kind === 'renewed') listener.onLeaseRenewed(event.lease);
      else listener.onLeaseEnded(event.id);
    }
    if (this.#compactedTo !== undefined) listener.onCompacted(this.#compactedTo);
  }
}
