/** The test of a history, as long as it is wanted: part of the gate, and longer as a campaign. */
import { join } from 'node:path';
import { Violation } from '../../../src/sim/checkers/checker';
import { LinkedCluster } from '../linked-cluster';
import { faultKinds } from './faults';
import { run } from './run';
import { beginningOf, spoilers, type History } from './spoilers';
import { callsIn, countOf, describeVolumes, verdictOn } from './verdict';
import { kindNames } from './workload';

/** `HISTORY_FILE` keeps the history for another checker (docs/simulator.md tells its format). */
const { HISTORY_FILE: file, HISTORY_SEED: seed = '1' } = process.env;

/**
 * A call takes 2 to 3 ms of all clients together on two idle cores, faults included; twice that beside other tests on slow
 * ones. It is there to end what hangs, not to measure.
 */
const patienceMsPerCall = 8;

/** Whether the judges object to a history. */
function isRefused({ calls, watches }: History): boolean {
  try {
    return verdictOn(calls, watches).violations.length > 0;
  } catch (error) {
    if (error instanceof Violation) return true;
    throw error;
  }
}

/** @param wanted how many calls, unless `HISTORY_OPERATIONS` says otherwise */
export function describeHistory(wanted: number): void {
  const operations = Number(process.env.HISTORY_OPERATIONS ?? wanted);
  describe('What clients see of real processes under faults', () => {
    let cluster: LinkedCluster;

    beforeEach(async () => {
      cluster = await LinkedCluster.start({ args: ['--election-timeout', '500', '--heartbeat-interval', '50'] });
    }, 30_000);
    afterEach(() => cluster.stop());

    it(
      `is linearizable over ${String(operations)} calls, and watches miss nothing`,
      async () => {
        const path = file ?? join(cluster.directory, 'history.jsonl');
        const made = await run(cluster, { operations, seed: Number(seed), path });
        const calls = callsIn(path);
        const verdict = verdictOn(calls, made.watches);
        console.log(describeVolumes(calls, verdict, made));

        expect(verdict.violations).toEqual([]);
        expect(verdict.undecided).toBe(0);
        // It did what it says.
        expect(calls.length).toBeGreaterThanOrEqual(operations);
        for (const kind of kindNames) expect([kind, countOf(calls, kind, 'ok') > 0]).toEqual([kind, true]);
        for (const kind of faultKinds) expect(made.faults.count(kind)).toBeGreaterThanOrEqual(2);
        expect(countOf(calls, '', 'ok')).toBeGreaterThan(0.6 * operations);
        expect(countOf(calls, '', 'ambiguous')).toBeGreaterThan(0);
        expect(verdict.judgement.expiries.length).toBeGreaterThan(0);
        // And the judges are able to object.
        const beginning = beginningOf({ calls, watches: made.watches }, 2000);
        expect(isRefused(beginning)).toBe(false);
        for (const [lie, spoil] of spoilers) expect([lie, isRefused(spoil(beginning))]).toEqual([lie, true]);
      },
      180_000 + operations * patienceMsPerCall,
    );
  });
}
