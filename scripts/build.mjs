// `npm run build`: src -> dist. Generates the stubs first, compiles incrementally, does nothing when nothing changed.
import { spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, existsSync, rmSync, writeFileSync } from 'node:fs';
import { buildInputs, descriptorsFile, sourceFiles } from './lib/build-inputs.mjs';
import { filesBelow, readIfThere } from './lib/files.mjs';
import { at, root, tool } from './lib/paths.mjs';

const mark = at('dist', '.built-from');

function runOrExit([command, ...args]) {
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] });
  if (error !== undefined) process.stderr.write(`${error.message}\n`);
  if (status !== 0) process.exit(1);
}

/** Compiled files whose source was deleted or renamed would still be found by imports, and be shipped. */
function removeOrphans() {
  for (const file of filesBelow('dist')) {
    const source = /^dist\/(.*?)(?:\.d\.ts|\.js\.map|\.js)$/.exec(file)?.[1];
    if (source !== undefined && !existsSync(at('src', `${source}.ts`))) rmSync(at(file));
  }
}

runOrExit([process.execPath, at('scripts', 'generate.mjs')]);
const sources = sourceFiles();
const inputs = buildInputs();
const descriptors = at(descriptorsFile.replace(/^src/, 'dist'));
const compiled = () => sources.every((file) => existsSync(at(file.replace(/^src\/(.*)\.ts$/, 'dist/$1.js'))));
const complete = () => existsSync(descriptors) && compiled();
if (readIfThere(mark) === inputs && complete()) {
  process.stdout.write('dist is up to date\n');
} else {
  rmSync(mark, { force: true });
  removeOrphans();
  // tsc trusts its record of what it wrote, even if that has been deleted since.
  if (!compiled()) rmSync(at('dist', '.tsbuildinfo'), { force: true });
  runOrExit([...tool('tsc'), '-p', 'tsconfig.json']);
  copyFileSync(at(descriptorsFile), descriptors);
  const main = at('dist', 'main.js');
  if (existsSync(main)) chmodSync(main, 0o755);
  writeFileSync(mark, inputs);
  process.stdout.write('dist is built\n');
}
