import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { required } from '../../../src/base/assert';

const compiled = join(__dirname, '../../../dist/ops/garbage-room.js');

/** What V8 may add to a limit for its young generation, MiB, and what is alive of the program itself. */
const slack = 80;

/** A heap of `alive` MiB that is collected, then grows until V8 begins to collect again, and says at what limit it would. */
function limitOf(alive: number): number {
  const program = `
    require(${JSON.stringify(compiled)}).makeRoomForGarbage();
    const { heapUsed } = process.memoryUsage();
    const heap = [];
    while (process.memoryUsage().heapUsed < heapUsed + ${alive} * 1024 * 1024) heap.push(new Array(5000).fill(heap.length));
    const from = performance.now();
    let isTold = false;
    new PerformanceObserver((list) => {
      isTold ||= list.getEntries().some(({ startTime }) => startTime >= from);
    }).observe({ entryTypes: ['gc'] });
    gc();
    setImmediate(function collectAgain() {
      if (!isTold) return setImmediate(collectAgain);
      gc();
      console.log('collected');
      grow(0);
    });
    function grow(times) {
      for (let at = 0; at < 10; at++) heap.push(Buffer.alloc(100_000), new Array(5000).fill(at));
      if (times < 100) setImmediate(grow, times + 1);
    }
  `;
  const args = ['--expose-gc', '--trace-incremental-marking', '-e', program];
  const { stdout, stderr, status } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  expect([status, stderr]).toEqual([0, '']);
  const [, grown = ''] = stdout.split('collected');
  const limit = /Start .* v8: .*?(?:\d+MB \/ )+?(\d+)MB \/ \d+MB global/.exec(grown);
  return Number(required(limit?.[1], `V8 begins to collect: ${stdout}`));
}

describe('makeRoomForGarbage', () => {
  it.each([30, 120])('lets 64 MiB gather beside %d that are alive', (alive) => {
    const limit = limitOf(alive);
    expect(limit).toBeGreaterThanOrEqual(alive + 64);
    expect(limit).toBeLessThanOrEqual(alive + 64 + slack);
  });
});
