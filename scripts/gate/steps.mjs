// The steps of the gate, in order. Each is small enough to be read as the documentation of what is checked.
import { existsSync } from 'node:fs';
import { ensureInstalled } from '../lib/install.mjs';
import { at, root, tool } from '../lib/paths.mjs';
import { run } from '../lib/run.mjs';
import { failed, fromCommand, passed, skipped } from './outcome.mjs';
import { checkBreaking } from './proto.mjs';
import { runTests } from './tests.mjs';
import { checkUnchanged } from './tree.mjs';

const minutes = 60_000;

/** What the gate has at its disposal; a step that measures, or that fills them, takes them all. */
export const gateCores = 2;

/** A step that is one command, of one thread; its exit code decides. */
function command(name, title, needs, line, timeoutMs = 5 * minutes) {
  const runCommand = async () => fromCommand(await run(line, { cwd: root, timeoutMs }), timeoutMs);
  return { name, title, needs, cores: 1, run: runCommand };
}

/** A step that runs all tests of some kinds. */
function tests(name, title, kinds, timeoutMs) {
  return { name, title, needs: ['build'], cores: gateCores, run: ({ say }) => runTests(kinds, { timeoutMs, say }) };
}

async function install({ say }) {
  const result = await ensureInstalled(say);
  return result.ok ? passed() : failed(result.output);
}

/** A step that is a script, which ends with 77 where the tools for it cannot be had. */
function scriptWithTools(name, title, needs, [program, ...path], timeoutMs) {
  const script = at(...path);
  const runScript = async () => {
    if (!existsSync(script)) return skipped(`there is no ${path.join('/')}`);
    const result = await run([program, script], { cwd: root, timeoutMs });
    if (result.code === 77) return skipped(result.output.trim().split('\n').at(-1) || `${path.join('/')} said so`);
    return fromCommand(result, timeoutMs);
  };
  return { name, title, needs, cores: gateCores, run: runScript };
}

const tsc = (project, ...more) => [...tool('tsc'), '-p', project, ...more];

const knip = (...more) => [...tool('knip'), '--no-progress', '--treat-config-hints-as-errors', ...more];

/**
 * `needs` names the steps without whose success a step makes no sense; it is then not run. Steps run beside each other as far
 * as `gateCores` allow.
 *
 * @type {readonly { name: string, title: string, needs: readonly string[], cores: number,
 *   run: (context: { say: (line: string) => void, before: Map<string, string> | undefined }) => Promise<any> }[]}
 */
export const steps = [
  { name: 'install', title: 'Packages as locked, addon loads', needs: [], cores: gateCores, run: install },
  command('proto-lint', 'Protocol follows its rules', ['install'], [...tool('buf'), 'lint']),
  command('proto-format', 'Protocol is formatted', ['install'], [...tool('buf'), 'format', '--diff', '--exit-code']),
  { name: 'proto-breaking', title: 'Protocol breaks no user', needs: ['install'], cores: 1, run: checkBreaking },
  command('generate', 'Stubs are generated', ['install'], [process.execPath, at('scripts', 'generate.mjs')]),
  command('build', 'Sources typecheck and build', ['generate'], [process.execPath, at('scripts', 'build.mjs')]),
  command('types-core', 'Core typechecks without Node', ['generate'], tsc('tsconfig.core.json')),
  command('types-test', 'Tests typecheck', ['generate'], tsc('test/tsconfig.json')),
  command('lint', 'ESLint', ['generate'], [...tool('eslint'), '--max-warnings', '0', '.']),
  command(
    'layers',
    'Imports point down',
    ['generate'],
    [...tool('depcruise'), '--config', '.dependency-cruiser.cjs', 'src'],
  ),
  command('dead-code', 'No dead code', ['generate'], knip()),
  command(
    'test-only-code',
    'No source file that only tests use',
    ['generate'],
    knip('--production', '--include=files'),
  ),
  command('format', 'Formatted', ['install'], [...tool('prettier'), '--check', '--log-level', 'warn', '.']),
  tests('unit', 'Tests: unit and model', ['unit', 'paper', 'scenarios', 'contract', 'property'], 5 * minutes),
  tests('sim', 'Tests: simulated clusters', ['sim'], 8 * minutes),
  tests('integration', 'Tests: real processes', ['integration'], 18 * minutes),
  tests('compat', 'Tests: foreign clients, comparison with etcd', ['compat'], 10 * minutes),
  scriptWithTools(
    'performance',
    'No operation costs much more CPU than it did',
    ['build'],
    [process.execPath, 'scripts', 'bench', 'regression.mjs'],
    8 * minutes,
  ),
  scriptWithTools(
    'container',
    'Image builds and runs',
    ['install'],
    ['bash', 'scripts', 'test-container.sh'],
    8 * minutes,
  ),
  {
    name: 'unchanged',
    title: 'No file was changed',
    needs: [],
    cores: gateCores,
    run: ({ before }) => checkUnchanged(before),
  },
];

/** What CI runs beside the gate: the same proofs in full, which take longer than anybody waits for at work. */
export const longSteps = [
  {
    name: 'proofs',
    title: 'Proofs in full: history under faults, kill -9 of all, comparison with etcd',
    needs: ['build'],
    cores: gateCores,
    run: ({ say }) =>
      runTests(['campaign'], { timeoutMs: 40 * minutes, say, paths: ['linearizability', 'differential', 'kill-all'] }),
  },
];
