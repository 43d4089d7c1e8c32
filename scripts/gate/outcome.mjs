// What a step of the gate says at its end, and how outcomes add up.

/**
 * `failures`: a line for each test that failed.
 *
 * @typedef {{ passed: number, failed: number, skipped: number, details: string, reasons?: readonly string[],
 *   failures?: readonly string[] }} Outcome
 */

/** In CI nothing may be left out silently: what would be skipped elsewhere fails there. */
export const inCi = process.env.CI === 'true' || process.env.CI === '1';

/** @returns {Outcome} */
export const passed = (details = '') => ({ passed: 1, failed: 0, skipped: 0, details });

/** @returns {Outcome} */
export const failed = (details) => ({ passed: 0, failed: 1, skipped: 0, details });

/** Left out, for a reason that a person should read. @returns {Outcome} */
export const skipped = (reason) =>
  inCi
    ? failed(`Skipped, which counts as a failure in CI: ${reason}`)
    : { passed: 0, failed: 0, skipped: 1, details: '', reasons: [reason] };

/** The result of a command as an outcome: what it printed matters only when it failed. */
export function fromCommand(result, timeoutMs) {
  if (result.ok) return passed();
  const why = result.timedOut
    ? `did not end within ${Math.round((timeoutMs ?? 600_000) / 1000)} s`
    : `exit code ${result.code}`;
  return failed(`${result.output.trimEnd()}\n(${why})`);
}

/** @param {readonly Outcome[]} outcomes */
export function sum(outcomes) {
  const total = { passed: 0, failed: 0, skipped: 0 };
  for (const outcome of outcomes) for (const kind of Object.keys(total)) total[kind] += outcome[kind];
  return total;
}

/** The closing line of the gate. */
export function closingLine({ passed: ok, failed: bad, skipped: out }) {
  return `${ok} passed, ${bad} failed${out > 0 ? `, ${out} skipped` : ''}`;
}
