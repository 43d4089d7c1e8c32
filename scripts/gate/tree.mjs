// The gate is read-only: proof that it changed no file that git tracks or would track.
import { createHash } from 'node:crypto';
import { lstatSync, readFileSync } from 'node:fs';
import { at, root } from '../lib/paths.mjs';
import { run } from '../lib/run.mjs';
import { failed, passed, skipped } from './outcome.mjs';

/** Every file that differs from HEAD or is new, with its status and a hash; undefined outside a git checkout. */
export async function workTree() {
  const env = { ...process.env, GIT_OPTIONAL_LOCKS: '0' };
  const command = ['git', 'status', '--porcelain=v1', '-z', '--no-renames', '--untracked-files=all'];
  const result = await run(command, { cwd: root, env, timeoutMs: 60_000 });
  if (!result.ok) return undefined;
  const files = new Map();
  for (const line of result.output.split('\0').filter(Boolean)) {
    const [status, path] = [line.slice(0, 2), line.slice(3)];
    files.set(path, `${status} ${hashOf(path)}`);
  }
  return files;
}

function hashOf(path) {
  try {
    if (!lstatSync(at(path)).isFile()) return 'not a file';
    return createHash('sha256')
      .update(readFileSync(at(path)))
      .digest('hex');
  } catch {
    return 'absent';
  }
}

/** Compares the tree with what it was at the start of the gate. */
export async function checkUnchanged(before) {
  const after = await workTree();
  if (before === undefined || after === undefined)
    return skipped('not a git checkout: cannot prove that no file changed');
  const paths = new Set([...before.keys(), ...after.keys()]);
  const changed = [...paths].filter((path) => before.get(path) !== after.get(path)).sort();
  if (changed.length === 0) return passed();
  return failed(`These files changed while the gate ran, by it or by somebody else:\n${changed.join('\n')}`);
}
