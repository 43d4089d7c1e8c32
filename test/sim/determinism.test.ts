import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { drawPlan } from '../../src/sim/plan';
import { simulate } from '../../src/sim/simulate';

const root = join(__dirname, '..', '..');

/** What `npm run simulate` runs. */
function inFreshProcess(seed: number): string | undefined {
  const main = join(root, 'dist', 'sim', 'main.js');
  const { stdout } = spawnSync(process.execPath, [main, '--seed', String(seed)], { encoding: 'utf8', timeout: 60_000 });
  expect(stdout.split('\n')[0]).toBe(`seed ${seed}`);
  return /^trace hash ([0-9a-f]{16})$/m.exec(stdout)?.[1];
}

describe('A seed', () => {
  it.each([1, 7, 42, 1_752_000_000_123])('decides everything: seed %i gives one trace hash', async (seed) => {
    const first = await simulate(drawPlan(seed));
    const second = await simulate(drawPlan(seed));
    expect(second.traceHash).toBe(first.traceHash);
    expect(second.volume).toEqual(first.volume);
  });

  it('gives the same trace in a fresh process, where nothing is warm and no other run came before', async () => {
    const { traceHash } = await simulate(drawPlan(42));
    expect(inFreshProcess(42)).toBe(traceHash);
  });

  it('gives the same trace whether or not somebody reads it', async () => {
    const lines: string[] = [];
    const read = await simulate(drawPlan(3), (line) => lines.push(line));
    const unread = await simulate(drawPlan(3));
    expect(read.traceHash).toBe(unread.traceHash);
    expect(lines.length).toBeGreaterThan(500);
    expect(lines.join('\n')).toContain('is leader in term');
  });

  it('differs from other seeds in what happens', async () => {
    const hashes = new Set<string>();
    for (let seed = 100; seed < 110; seed++) hashes.add((await simulate(drawPlan(seed))).traceHash);
    expect(hashes.size).toBe(10);
  });

  it('draws different swarms: sizes, faults and bounds vary between seeds', () => {
    const plans = Array.from({ length: 100 }, (_, seed) => drawPlan(seed));
    expect(new Set(plans.map(({ members }) => members))).toEqual(new Set([1, 2, 3, 4, 5]));
    expect(Math.min(...plans.map(({ faults }) => faults.size))).toBeLessThan(4);
    expect(Math.max(...plans.map(({ faults }) => faults.size))).toBeGreaterThan(15);
    expect(new Set(plans.map(({ raftOptions }) => raftOptions.maxCachedBytes)).size).toBeGreaterThan(2);
  });

  it('keeps the other faults as they are when a single one is left out', async () => {
    const plan = { ...drawPlan(11), faults: new Map([['clock jump', 1]]) };
    const whole = await simulate(plan);
    const dropped = whole.struck[1];
    if (dropped === undefined) throw new Error('the seed has several faults');
    const less = await simulate({ ...plan, without: new Set([dropped]) });
    expect(less.struck[0]).toBe(whole.struck[0]);
    expect(less.struck).not.toContain(dropped);
    expect(less.struck.length).toBeGreaterThan(whole.struck.length / 2);
  });
});
