import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { mutants } from '../../src/sim/mutants';
import { Laboratory, mutate } from '../../src/sim/mutants/laboratory';

const root = join(__dirname, '..', '..');
const dist = join(root, 'dist');

describe('The mutants', () => {
  it('are many, and each has a name of its own', () => {
    expect(mutants.length).toBeGreaterThanOrEqual(40);
    expect(new Set(mutants.map(({ name }) => name)).size).toBe(mutants.length);
  });

  it.each(mutants.map((mutant) => [mutant.name, mutant] as const))('fits: %s', (_, mutant) => {
    const source = readFileSync(join(dist, `${mutant.file}.js`), 'utf8');
    expect(mutate(source, mutant)).not.toBe(source);
  });

  it('refuses one whose text is not there, or there twice', () => {
    const mutant = { name: 'lost', breaks: 'S1', file: 'a', find: 'x', replace: 'y', seeds: 1 };
    expect(() => mutate('nothing', mutant)).toThrow('stands 0 times');
    expect(() => mutate('x and x', mutant)).toThrow('stands 2 times');
  });
});

/** One of each room; `npm run mutants` tries them all. */
const sample = [
  'votes for whoever asks, however old its log',
  'commits entries of earlier terms by counting',
  'acknowledges before its disk is done',
  'confirms a read before an entry of its own term is committed',
  'tells a caller that nothing was done though it may be',
  'a list ends too early',
];

describe('A broken program is found out', () => {
  const laboratory = new Laboratory(dist, join(root, '.cache', 'mutants', `test-${process.pid}`));
  afterAll(() => {
    laboratory.close();
  });

  it.each(sample)('%s', async (name) => {
    const mutant = mutants.find((candidate) => candidate.name === name);
    if (mutant === undefined) throw new Error('there is such a mutant');
    const { violation, seeds } = await laboratory.examine(mutant);
    expect(violation).toContain('FAILED seed');
    expect(seeds).toBeLessThanOrEqual(mutant.seeds);
  });

  it('and a copy without a mistake is not', async () => {
    const [mutant] = mutants;
    if (mutant === undefined) throw new Error('there are mutants');
    const { violation, seeds } = await laboratory.examine({ ...mutant, replace: mutant.find, seeds: 20 });
    expect(violation).toBeUndefined();
    expect(seeds).toBe(20);
  });
});
