// buf breaking: a released protocol must go on working for those who use it.
import { at, root, tool } from '../lib/paths.mjs';
import { run } from '../lib/run.mjs';
import { failed, fromCommand, passed, skipped } from './outcome.mjs';

/** buf's exit code for "ran well, and found something". */
const foundSomething = 100;

async function git(...args) {
  const result = await run(['git', ...args], { cwd: root, timeoutMs: 30_000 });
  return result.ok ? result.output.trim() : undefined;
}

async function compareWith(commit) {
  const source = `${at('.git')}#format=git,ref=${commit}`;
  return run([...tool('buf'), 'breaking', '--against', source], { cwd: root, timeoutMs: 120_000 });
}

/**
 * Against the newest release tag, every breaking change is a failure. Before the first release nothing is promised yet:
 * then the proto is compared with the version before its last commit, and what would break is only told.
 */
export async function checkBreaking() {
  if ((await git('rev-parse', '--git-dir')) === undefined) return skipped('buf breaking needs a git checkout');
  const tag = await git('describe', '--tags', '--match', 'v[0-9]*', '--abbrev=0', 'HEAD');
  if (tag !== undefined) {
    const result = await compareWith(tag);
    return result.ok
      ? passed(`compared with ${tag}`)
      : failed(`Breaks the protocol released as ${tag}:\n${result.output}`);
  }
  if ((await git('rev-parse', '--is-shallow-repository')) === 'true') {
    return skipped('this clone is shallow, so neither release tags nor earlier versions of the proto are here');
  }
  const versions = (await git('log', '-2', '--format=%H', '--', 'proto')) ?? '';
  const previous = versions.split('\n')[1];
  if (previous === undefined) return passed('no release yet, and no earlier version of the proto');
  const result = await compareWith(previous);
  if (result.code === foundSomething) {
    return passed(
      `no release yet; these changes would break users of ${previous.slice(0, 12)}:\n${result.output.trimEnd()}`,
    );
  }
  return result.ok ? passed(`no release yet; compared with ${previous.slice(0, 12)}`) : fromCommand(result);
}
