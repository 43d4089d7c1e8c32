// Makes sure that node_modules is what package-lock.json says, and that the native addon fits this Node.
import { readFileSync } from 'node:fs';
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

/** Settings for building the native addon: use Node's own headers where they came with it, so no download is needed. */
function buildEnvironment() {
  const prefix = dirname(dirname(process.execPath));
  const header = readIfThere(join(prefix, 'include', 'node', 'node_version.h')) ?? '';
  const version = ['MAJOR', 'MINOR', 'PATCH'].map(
    (part) => new RegExp(`#define NODE_${part}_VERSION (\\d+)`).exec(header)?.[1],
  );
  const own = version.join('.') === process.versions.node ? { npm_config_nodedir: prefix } : {};
  return { JOBS: 'max', ...own, ...process.env };
}

/** Whether the native addon is there and loads on this Node. */
async function addonLoads() {
  const script = "new (require('better-sqlite3'))(':memory:').close()";
  return (await run([process.execPath, '-e', script], { cwd: root, timeoutMs: 30_000 })).ok;
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
  if (await addonLoads()) return { ok: true, output: '' };
  say('the SQLite addon does not load on this Node: building it again');
  const rebuilt = await run(npm('rebuild', 'better-sqlite3', '--foreground-scripts'), options);
  if (rebuilt.ok && !(await addonLoads()))
    return { ok: false, output: `${rebuilt.output}better-sqlite3 does not load\n` };
  return rebuilt;
}
