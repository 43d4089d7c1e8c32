/** Waits for watches, and ends the waiting with the call. */
import { deferred, type Deferred } from '../../base/deferred';
import type { KeyRange } from '../../kv/command';
import { rangeOfKey } from '../../kv/key-range';
import type { Watch, WatchBatch, Watches } from '../../kv/watch';

/** Enough to learn that there is something. */
const anyBytes = 1;

/** What is watched, and from when; 0: from the next revision. */
export interface Watched {
  readonly range: KeyRange;
  readonly startRevision: number;
  readonly deletesOnly: boolean;
}

/**
 * Returns when one of the keys was deleted after the call, or perhaps was: the caller looks again. Nothing is missed
 * between what the caller has read in this turn of the event loop and the return.
 *
 * @throws the reason of `signal`; QuorateError `overloaded` if there are too many watches
 */
export async function deletionOfAny(watches: Watches, keys: readonly Uint8Array[], signal: AbortSignal): Promise<void> {
  const happened = deferred<void>();
  const opened: Watch[] = [];
  try {
    for (const key of keys) {
      const watched = { range: rangeOfKey(key), startRevision: 0, deletesOnly: true };
      const watch = open(watches, watched, () => {
        happened.resolve();
      });
      opened.push(watch);
      if (watch.take(anyBytes) !== undefined) return;
    }
    await unlessAborted(happened, signal);
  } finally {
    for (const watch of opened) watch.cancel();
  }
}

/** A watch whose reader waits. */
export class AwaitedWatch {
  readonly #watch: Watch;
  #ready = deferred<void>();

  /** @throws QuorateError `overloaded` */
  constructor(watches: Watches, watched: Watched) {
    this.#watch = open(watches, watched, () => {
      this.#ready.resolve();
    });
  }

  /** The next events, as soon as there are some. @throws the reason of `signal` */
  async next(maxBytes: number, signal: AbortSignal): Promise<WatchBatch> {
    for (;;) {
      this.#ready = deferred();
      const batch = this.#watch.take(maxBytes);
      if (batch !== undefined) return batch;
      await unlessAborted(this.#ready, signal);
    }
  }

  cancel(): void {
    this.#watch.cancel();
  }
}

function open(watches: Watches, { range, startRevision, deletesOnly }: Watched, onReady: () => void): Watch {
  return watches.open({
    ...{ range, startRevision, withoutPuts: deletesOnly, withoutDeletes: false, withPrevious: false },
    onReady,
  });
}

/** Waits for `event`, but no longer than the signal allows. @throws the reason of `signal` */
async function unlessAborted(event: Deferred<void>, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  const onAbort = () => {
    event.reject(signal.reason as Error);
  };
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    await event.promise;
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
