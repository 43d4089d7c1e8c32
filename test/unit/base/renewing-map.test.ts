import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import fc from 'fast-check';
import { RenewingMap } from '../../../src/base/renewing-map';

const MB = 1e6;

const steps = fc.array(
  fc.record({
    what: fc.constantFrom('set', 'set', 'set', 'delete', 'delete', 'clear'),
    key: fc.nat(400),
    value: fc.nat(),
  }),
  { minLength: 1000, maxLength: 3000, size: 'max' },
);

describe('RenewingMap', () => {
  it('answers as a Map does, in the same order, however often it moves', () => {
    fc.assert(
      fc.property(steps, (happened) => {
        const [tested, model] = [new RenewingMap<number, number>(), new Map<number, number>()];
        for (const { what, key, value } of happened) {
          if (what === 'set') for (const map of [tested, model]) map.set(key, value);
          else if (what === 'delete') expect(tested.delete(key)).toBe(model.delete(key));
          else if (value % 50 === 0) for (const map of [tested, model]) map.clear();
          expect([tested.size, tested.has(key), tested.get(key)]).toEqual([model.size, model.has(key), model.get(key)]);
        }
        expect(tested.values()).toEqual([...model.values()]);
        const visited: [number, number][] = [];
        tested.forEach((value, key) => visited.push([key, value]));
        expect(visited).toEqual([...model]);
      }),
      { numRuns: 20 },
    );
  });

  it('does not visit what is deleted or replaced meanwhile, though it moves', () => {
    const map = new RenewingMap<number, number>();
    for (let key = 0; key < 1000; key++) map.set(key, key);
    const visited: number[] = [];
    map.forEach((_, key) => {
      visited.push(key);
      if (key > 0) return;
      for (let deleted = 1; deleted < 998; deleted++) map.delete(deleted);
      map.set(998, -1);
    });
    expect(visited).toEqual([0, 999]);
  });

  it('keeps nothing that was deleted beyond the next minor collection, as a Map does', () => {
    expect(leftBytes(join(__dirname, '../../../dist/base/renewing-map.js'), 'RenewingMap')).toBeLessThan(3 * MB);
    // If this is no longer so, V8 has changed, and the class may not be needed any more.
    expect(leftBytes('', 'Map')).toBeGreaterThan(6 * MB);
  });
});

/** What a minor collection leaves of 24 MB that were in a map for a moment. */
function leftBytes(path: string, name: string): number {
  const child = join(__dirname, '../../support/churn.cjs');
  return Number(execFileSync(process.execPath, ['--expose-gc', child, path, name], { encoding: 'utf8' }));
}
