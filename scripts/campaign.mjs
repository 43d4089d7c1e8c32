// `npm run campaign -- NAME`: the long tests of test/campaign/ whose path contains the name; all of them without one.
import { spawnSync } from 'node:child_process';
import { ensureInstalled } from './lib/install.mjs';
import { at, root, tool } from './lib/paths.mjs';

const say = (line) => console.log(line);
const inherit = { cwd: root, stdio: 'inherit' };

const installed = await ensureInstalled(say);
if (!installed.ok) {
  console.error(installed.output);
  process.exit(1);
}
const built = spawnSync(process.execPath, [at('scripts', 'build.mjs')], inherit);
if (built.status !== 0) process.exit(built.status ?? 1);
const [program, ...args] = tool('jest');
const { status } = spawnSync(
  program,
  [...args, '--forceExit', '--selectProjects', 'campaign', '--', ...process.argv.slice(2)],
  inherit,
);
process.exitCode = status ?? 1;
