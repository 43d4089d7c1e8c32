// Makes sure that node_modules is what package-lock.json says, and that the native addon fits this Node.
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { readIfThere } from './files.mjs';
import { at, root } from './paths.mjs';
import { run } from './run.mjs';

/** Says in one sentence why this Node cannot run the project, or undefined when it can. */
export function nodeProblem() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > 20 || (major === 20 && minor >= 19)) return undefined;
  return `This is Node ${process.versions.node}; quorate needs Node 20.19 or newer.`;
}

/** Says why `npm ci` is needed, or undefined when node_modules agrees with package-lock.json. */
export function staleReason() {
  const hidden = readIfThere(at('node_modules', '.package-lock.json'));
  if (hidden === undefined) return 'node_modules is missing';
  const installed = JSON.parse(hidden).packages;
  const wanted = JSON.parse(readFileSync(at('package-lock.json'), 'utf8')).packages;
  for (const [path, { version, optional, peer }] of Object.entries(wanted)) {
    if (path === '') continue;
    const found = installed[path]?.version;
    // What is optional may be absent (another platform's binary), but not of another version.
    if (found === undefined ? !optional && !peer : found !== version) return `${path} is not at version ${version}`;
  }
  return undefined;
}

/** The command that starts npm: the very npm that started us, if one did. */
function npm(...args) {
  const script = process.env.npm_execpath;
  return script?.endsWith('.js') || script?.endsWith('.cjs') ? [process.execPath, script, ...args] : ['npm', ...args];
}

/** Settings for building the native addon. */
function buildEnvironment() {
  // Use Node's own headers where they came with it: no download is needed then.
  const prefix = dirname(dirname(process.execPath));
  const header = readIfThere(join(prefix, 'include', 'node', 'node_version.h')) ?? '';
  const part = (name) => new RegExp(`#define NODE_${name}_VERSION (\\d+)`).exec(header)?.[1];
  const isOurs = `${part('MAJOR')}.${part('MINOR')}.${part('PATCH')}` === process.versions.node;
  // scripts/native/object-wrap.h says why.
  const flags = `${process.env.CXXFLAGS ?? ''} -include ${at('scripts', 'native', 'object-wrap.h')}`.trim();
  return { JOBS: 'max', ...(isOurs ? { npm_config_nodedir: prefix } : {}), ...process.env, CXXFLAGS: flags };
}

/** Loads the addon, and leaves it objects for the garbage collector, which then runs at idle moments too. */
const addonCheck = `
  const db = new (require('better-sqlite3'))(':memory:');
  (function litter(rounds) {
    for (let i = 0; i < 2000; i++) db.prepare('SELECT ' + i).get();
    Array.from({ length: 200000 }, (_, index) => ({ index }));
    if (rounds > 0) setTimeout(litter, 5, rounds - 1);
  })(10);
`;

/** Whether the native addon is there, loads on this Node, and stays alive. Tried once for each file and Node. */
async function addonWorks() {
  const file = statSync(at('node_modules', 'better-sqlite3', 'build', 'Release', 'better_sqlite3.node'), {
    throwIfNoEntry: false,
  });
  if (file === undefined) return false;
  const mark = at('node_modules', '.addon-works');
  const subject = `${process.version} ${process.arch} ${file.size} ${file.mtimeMs}`;
  if (readIfThere(mark) === subject) return true;
  const { ok } = await run([process.execPath, '-e', addonCheck], { cwd: root, timeoutMs: 60_000 });
  if (ok) writeFileSync(mark, subject);
  return ok;
}

/**
 * Installs what is missing.
 *
 * @param {(sentence: string) => void} say
 * @returns {Promise<{ ok: boolean, output: string }>}
 */
export async function ensureInstalled(say = () => {}) {
  const reason = staleReason();
  const options = { cwd: root, env: buildEnvironment(), timeoutMs: 900_000 };
  if (reason !== undefined) {
    say(`${reason}: npm ci (compiles SQLite, takes minutes)`);
    const result = await run(npm('ci', '--no-audit', '--no-fund'), options);
    if (!result.ok) return result;
  }
  if (await addonWorks()) return { ok: true, output: '' };
  say('the SQLite addon does not work on this Node: compiling it again');
  const env = { ...options.env, npm_config_build_from_source: 'true' };
  const rebuilt = await run(npm('rebuild', 'better-sqlite3', '--foreground-scripts'), { ...options, env });
  if (rebuilt.ok && !(await addonWorks()))
    return { ok: false, output: `${rebuilt.output}better-sqlite3 does not work\n` };
  return rebuilt;
}
