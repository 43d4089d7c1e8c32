// `npm run fix`: the only command that rewrites files. Formats proto and source, and applies the fixes ESLint offers.
import { spawnSync } from 'node:child_process';
import { at, root, tool } from './lib/paths.mjs';

const commands = [
  [...tool('buf'), 'format', '--write'],
  // Type-aware rules need the stubs.
  [process.execPath, at('scripts', 'generate.mjs')],
  [...tool('eslint'), '--fix', '.'],
  [...tool('prettier'), '--write', '--log-level', 'warn', '.'],
];
let failed = false;
for (const [command, ...args] of commands) {
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: 'inherit' });
  if (error !== undefined) process.stderr.write(`${error.message}\n`);
  failed ||= status !== 0;
}
process.exitCode = failed ? 1 : 0;
