// Runs kinds of jest tests, and counts every single test.
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { filesBelow } from '../lib/files.mjs';
import { at, root, scratch } from '../lib/paths.mjs';
import { run } from '../lib/run.mjs';
import { failed, inCi } from './outcome.mjs';

const leak = 'failed to exit gracefully';

/** Whether there is any test of these kinds. */
export const kindsPresent = (kinds) =>
  kinds.filter((kind) => filesBelow(`test/${kind}`).some((file) => file.endsWith('.test.ts')));

const pattern = (paths) => (paths.length === 0 ? [] : ['--testPathPatterns', paths.join('|')]);

/**
 * @param {readonly string[]} kinds folders of test/
 * @param {{ timeoutMs: number, say: (line: string) => void, paths?: readonly string[] }} options `paths`: only tests
 *   whose path contains one of them
 * @returns {Promise<import('./outcome.mjs').Outcome>}
 */
export async function runTests(kinds, { timeoutMs, say, paths = [] }) {
  const present = kindsPresent(kinds);
  if (present.length === 0) return { ...failed(''), failed: 0, details: `no tests of the kinds ${kinds.join(', ')}` };
  mkdirSync(scratch, { recursive: true });
  const report = join(scratch, `jest-${kinds[0]}.json`);
  rmSync(report, { force: true });
  const jest = [process.execPath, at('node_modules', 'jest', 'bin', 'jest.js')];
  const result = await run(
    [...jest, '--ci', '--json', `--outputFile=${report}`, '--selectProjects', ...present, ...pattern(paths)],
    {
      cwd: root,
      timeoutMs,
      onLine: (line) => /^(PASS|FAIL) \w+ test\//.test(line) && say(line),
      // Jest has written its report and still does not end: something in a test is still open.
      until: () => existsSync(report),
    },
  );
  writeFileSync(join(scratch, `jest-${kinds[0]}.log`), result.output);
  if (!existsSync(report))
    return failed(`${result.output}\njest wrote no report${result.timedOut ? ` within ${timeoutMs / 1000} s` : ''}`);
  return count(JSON.parse(readFileSync(report, 'utf8')), result);
}

/** Jest's report and the way it ended, as an outcome. */
function count(report, result) {
  const left = report.testResults.flatMap((file) =>
    file.assertionResults.filter(({ status }) => status === 'pending' || status === 'todo'),
  );
  const reasons = left.map(({ fullName }) => `test left out: ${fullName}`);
  const problems = report.testResults.map((file) => file.message).filter(Boolean);
  const outcome = { passed: report.numPassedTests, failed: report.numFailedTests + report.numRuntimeErrorTestSuites };
  const failures = report.testResults.flatMap(failuresOf);
  if (inCi && left.length > 0) {
    outcome.failed += left.length;
    problems.push(`Left out, which counts as a failure in CI:\n${reasons.join('\n')}`);
    failures.push(...reasons);
  }
  if (result.lingered || result.timedOut) {
    outcome.failed += 1;
    problems.push('Jest did not end after its last test: a test leaves something open. Look with --detectOpenHandles.');
    failures.push('jest did not end after its last test');
  } else if (!result.ok && outcome.failed === 0) {
    outcome.failed += 1;
    problems.push(`${result.output.trimEnd()}\njest ended with code ${result.code}`);
    failures.push(`jest ended with code ${result.code}`);
  }
  if (result.output.includes(leak))
    reasons.push(`a jest worker ${leak}: a test leaves something open (--detectOpenHandles)`);
  return { ...outcome, skipped: inCi ? 0 : left.length, details: problems.join('\n'), reasons, failures };
}

/** What failed in a file of tests, a line each. */
function failuresOf({ name, assertionResults, message }) {
  const file = relative(root, name);
  const line = (text) => stripVTControlCharacters(text).trim().split('\n')[0];
  const bad = assertionResults.filter(({ status }) => status === 'failed');
  if (bad.length === 0) return message === '' || assertionResults.length > 0 ? [] : [`${file}: ${line(message)}`];
  return bad.map(({ fullName, failureMessages: [why = ''] }) => `${file}: ${fullName}: ${line(why)}`);
}
