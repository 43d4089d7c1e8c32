import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(__dirname, '..', '..', '..');
const file = join(root, 'examples', 'counter', 'counter.mjs');

describe('The example of a replicated counter', () => {
  it('runs as it is written, and the counter survives the loss of its leader', () => {
    const { stdout, stderr, status } = spawnSync(process.execPath, [file], { encoding: 'utf8', timeout: 20_000 });
    expect([stderr, status]).toEqual(['', 0]);
    expect(stdout.trim().split('\n')).toEqual([
      'ten times 1: 10, 10, 10',
      'the leader was cut off, another took over, and 32 was added: 10, 42, 42',
      'the first one is back: 42, 42, 42',
    ]);
  });

  it('needs nothing but the core, and fewer than a hundred lines', () => {
    const text = readFileSync(file, 'utf8');
    expect([...text.matchAll(/from '(.*)'/g)].map(([, from]) => from)).toEqual(['quorate/raft']);
    expect(text.split('\n').length).toBeLessThan(100);
  });
});
