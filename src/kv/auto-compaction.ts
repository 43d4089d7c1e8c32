/** Forgets old revisions by itself: those older than a time, and those beyond a number. */
import { Errand, type ErrandParts } from './errand';
import type { StoreTask } from './leader-tasks';
import type { KvReader } from './result';

/** How much history is kept. */
export interface Retention {
  /** Revisions younger than this are kept, milliseconds; 0: time alone makes nothing go. */
  readonly retainMs: number;
  /** No more than about this many revisions are kept, however young; 0: as many as come. */
  readonly retainRevisions: number;
}

/** What the compaction works with. */
export interface AutoCompactionParts extends ErrandParts, Retention {
  readonly reader: Pick<KvReader, 'revision' | 'compactRevision'>;
}

/** How old a revision is, is known to one part in so many of the time that it is kept. */
const samplesPerRetention = 60;
/** Beyond the number kept, so large a part of it gathers before it goes. */
const revisionSlack = 0.1;

/** The store's revision at some time of this member's clock. */
interface Sample {
  readonly at: number;
  readonly revision: number;
}

/**
 * Every member notes which revision it had when, so that a new leader knows ages without a pause. A restart forgets them:
 * history then stays longer, never shorter.
 */
export class AutoCompaction implements StoreTask {
  readonly #parts: AutoCompactionParts;
  readonly #errand: Errand;
  /** Oldest first, at most one of them older than the time kept. */
  #samples: Sample[] = [];

  constructor(parts: AutoCompactionParts) {
    this.#parts = parts;
    this.#errand = new Errand(parts);
  }

  look(now: number): void {
    const { retainMs, reader } = this.#parts;
    if (retainMs === 0) return;
    const last = this.#samples.at(-1);
    if (last !== undefined && now - last.at < retainMs / samplesPerRetention) return;
    this.#samples.push({ at: now, revision: reader.revision });
    const firstYoung = this.#samples.findIndex(({ at }) => now - at < retainMs);
    if (firstYoung > 1) this.#samples = this.#samples.slice(firstYoung - 1);
  }

  lead(_term: number, now: number): void {
    if (this.#errand.isOut) return;
    const revision = Math.max(this.#byTime(now), this.#byNumber());
    if (revision > this.#parts.reader.compactRevision) this.#errand.send({ kind: 'compact', revision });
  }

  #byTime(now: number): number {
    const { retainMs } = this.#parts;
    if (retainMs === 0) return 0;
    return this.#samples.findLast(({ at }) => now - at >= retainMs)?.revision ?? 0;
  }

  #byNumber(): number {
    const { retainRevisions, reader } = this.#parts;
    if (retainRevisions === 0) return 0;
    const revision = reader.revision - retainRevisions;
    return revision - reader.compactRevision > retainRevisions * revisionSlack ? revision : 0;
  }
}
