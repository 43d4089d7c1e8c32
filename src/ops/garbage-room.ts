/** How much garbage a server gathers before V8 collects all of it. */
import { constants, PerformanceObserver } from 'node:perf_hooks';
import { getHeapStatistics, setFlagsFromString } from 'node:v8';

/** Garbage that may gather beside what is alive, bytes. */
const room = 64 * 1024 * 1024;

/** What V8 allows itself, percent of what is alive: at the least, and at the most. */
const ownPercent = { least: 30, most: 300 };

/**
 * Lets 64 MiB of garbage gather beside a small heap. V8 allows itself 30 percent of what is alive where little is promoted,
 * and counts to it the buffers of entries that leave the caches: a follower of a few megabytes collected everything every two
 * seconds at full load, on processors that others waited for. Above 213 MiB V8's own rule gives as much or more.
 */
export function makeRoomForGarbage(): void {
  allow(getHeapStatistics().used_heap_size);
  const observer = new PerformanceObserver((list) => {
    if (list.getEntries().some(isMajor)) allow(getHeapStatistics().used_heap_size);
  });
  observer.observe({ entryTypes: ['gc'] });
}

/** Takes effect at the end of the next major collection. */
function allow(alive: number): void {
  const percent = Math.min(Math.ceil((100 * room) / alive), ownPercent.most);
  setFlagsFromString(`--heap-growing-percent=${percent > ownPercent.least ? percent : 0}`);
}

function isMajor(entry: object): boolean {
  return 'detail' in entry && (entry.detail as { readonly kind: number }).kind === constants.NODE_PERFORMANCE_GC_MAJOR;
}
