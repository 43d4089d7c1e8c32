/** Follows an election: who leads, and what each leader proclaims, in order. */
import { QuorateError } from '../../base/error';
import type { Change, KeyRecord } from '../../kv/result';
import { recipeLimits, type RecipeDependencies } from './dependencies';
import { queueQuery, rangeOfName } from './place';
import { AwaitedWatch } from './waiting';

/** Who leads since a revision. */
export interface Observation {
  /** `undefined`: nobody. */
  readonly leader: KeyRecord | undefined;
  /** The store's revision at which it was seen, or which made it so. */
  readonly revision: number;
}

/**
 * Tells who leads now, and then each change of leader or value in the order of the store. None is left out, except for
 * those that are compacted before they are taken. What is not taken costs no memory. Reads this member's own copy.
 *
 * @throws the reason of `signal`; QuorateError `overloaded` if there are too many watches
 */
export async function* observe(
  needs: RecipeDependencies,
  name: Uint8Array,
  signal: AbortSignal,
): AsyncGenerator<Observation, void, undefined> {
  let told: Observation | undefined;
  // Once; and again from what is there when a compaction has overtaken the observer.
  for (;;) {
    const now = leaderAt(needs, name, needs.reader.revision);
    const watched = { range: rangeOfName(name), startRevision: now.revision + 1, deletesOnly: false };
    const watch = new AwaitedWatch(needs.watches, watched);
    try {
      if (isNews(told, now)) yield now;
      told = now;
      for await (const change of changesIn(watch, signal)) {
        // One look at a revision tells all that happened in it.
        if (change.revision <= told.revision || !concerns(change, told)) continue;
        const seen = leaderAt(needs, name, change.revision);
        if (isNews(told, seen)) yield seen;
        told = seen;
      }
    } catch (error) {
      if (!isCompacted(error)) throw error;
    } finally {
      watch.cancel();
    }
  }
}

/** Ends when changes that were not taken are compacted. */
async function* changesIn(watch: AwaitedWatch, signal: AbortSignal): AsyncGenerator<Change, void, undefined> {
  for (;;) {
    const batch = await watch.next(recipeLimits.observedBytes, signal);
    if (batch.kind === 'compacted') return;
    for (const { change } of batch.events) yield change;
  }
}

/** @throws QuorateError `compacted` */
function leaderAt(needs: RecipeDependencies, name: Uint8Array, revision: number): Observation {
  const [leader] = needs.reader.select(queueQuery(name, { revision })).records;
  return { leader, revision };
}

/** A leader leads until its key goes; where there is none, whoever comes leads. */
function concerns({ record }: Change, { leader }: Observation): boolean {
  return leader === undefined || Buffer.compare(record.key, leader.key) === 0;
}

function isNews(told: Observation | undefined, { leader }: Observation): boolean {
  if (told === undefined) return true;
  const before = told.leader;
  if (leader === undefined || before === undefined) return leader !== before;
  return leader.modRevision !== before.modRevision || Buffer.compare(leader.key, before.key) !== 0;
}

function isCompacted(error: unknown): boolean {
  return error instanceof QuorateError && error.code === 'compacted';
}
