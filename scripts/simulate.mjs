// `npm run simulate` and `npm run mutants`: builds what has changed, then starts the simulator (docs/simulator.md).
import { spawnSync } from 'node:child_process';
import { at } from './lib/paths.mjs';

const [program, ...args] = process.argv.slice(2);

/** The seed comes first in the output, so the build says nothing unless it fails. */
const build = spawnSync(process.execPath, [at('scripts', 'build.mjs')], { encoding: 'utf8' });
if (build.status !== 0) {
  process.stderr.write(build.stdout + build.stderr);
  process.exit(1);
}
const { status } = spawnSync(process.execPath, [at('dist', 'sim', program, 'main.js'), ...args], { stdio: 'inherit' });
process.exit(status ?? 1);
