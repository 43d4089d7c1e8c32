import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

const compiled = join(__dirname, '../../../dist/api/tier-up.js');

/** Enough calls for the lowered bound, and too few for V8's own; V8 tells what it wants to optimize. */
const busy = `
  function turn(n) { let sum = 0; for (let at = 0; at < 20; at++) sum += at % n; return sum; }
  let total = 0;
  for (let call = 0; call < 80; call++) total += turn(call + 1);
`;

function optimizes(before: string): boolean {
  const { stdout, stderr, status } = spawnSync(process.execPath, ['--trace-opt', '-e', before + busy], {
    encoding: 'utf8',
  });
  expect([status, stderr]).toEqual([0, '']);
  return /marking .*<JSFunction turn /.test(stdout);
}

describe('tierUpSooner', () => {
  const isMeant = process.versions.node.startsWith('20.');

  it('has V8 optimize a function after fewer calls, where its V8 is known, and says nothing elsewhere', () => {
    const early = optimizes(`require(${JSON.stringify(compiled)}).tierUpSooner();`);
    if (isMeant) expect([early, optimizes('')]).toEqual([true, false]);
  });
});
