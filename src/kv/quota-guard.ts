/** Raises an alarm of its own before the store has used up its quota, and clears it when there is space again. */
import { Errand, type ErrandParts } from './errand';
import type { StoreTask } from './leader-tasks';
import type { KvReader } from './result';

/** What the guard works with. */
export interface QuotaGuardParts extends ErrandParts {
  readonly reader: Pick<KvReader, 'quotaBytes' | 'alarms' | 'sizeInUseBytes'>;
}

/** The alarm is about no member, but the cluster. */
const wholeCluster = 0n;

/** How often the size is looked at, milliseconds. */
const lookIntervalMs = 200;
/** The parts of the quota at which the alarm is raised, and below which it is cleared. */
const raiseAt = 0.95;
const clearBelow = 0.9;

/** With the alarm, puts and grants are refused; deletes and compaction work, and make space. */
export class QuotaGuard implements StoreTask {
  readonly #parts: QuotaGuardParts;
  readonly #errand: Errand;
  #lookedAt = -Infinity;
  #lastBytes = 0;

  constructor(parts: QuotaGuardParts) {
    this.#parts = parts;
    this.#errand = new Errand(parts);
  }

  begin(): void {
    this.#lastBytes = this.#parts.reader.sizeInUseBytes();
  }

  lead(_term: number, now: number): void {
    if (this.#errand.isOut || now - this.#lookedAt < lookIntervalMs) return;
    this.#lookedAt = now;
    const { reader, logger } = this.#parts;
    const { quotaBytes } = reader;
    const bytes = reader.sizeInUseBytes();
    const growth = bytes - this.#lastBytes;
    this.#lastBytes = bytes;
    const isRaised = reader.alarms.some(({ alarm }) => alarm === 'quota');
    // What comes until the next look has to fit, too.
    const isAlmostFull =
      bytes >= quotaBytes * raiseAt || (bytes >= quotaBytes * clearBelow && bytes + growth >= quotaBytes);
    if (!isRaised && quotaBytes > 0 && isAlmostFull) {
      logger.warn({ bytes, quotaBytes }, 'the store is almost full: puts are refused until there is space again');
      this.#change('raise');
    } else if (isRaised && (quotaBytes === 0 || bytes < quotaBytes * clearBelow)) {
      logger.info({ bytes, quotaBytes }, 'the store has space again');
      this.#change('clear');
    }
  }

  #change(action: 'raise' | 'clear'): void {
    this.#errand.send({ kind: 'alarm', action, alarm: 'quota', memberId: wholeCluster });
  }
}
