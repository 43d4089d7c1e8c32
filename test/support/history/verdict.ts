/** Everything that is demanded of a run: volumes, linearizability, revisions, leases, watches, equal members. */
import { readFileSync } from 'node:fs';
import { checkLinearizable } from '../../../src/sim/linearizability/history';
import type { CallOutcome } from '../../../src/sim/workload/call';
import { judge, type Judgement } from './judge';
import { judgeLeases } from './lease-judge';
import { callOfLine, type RecordedCall } from './recorded-call';
import type { Run } from './run';
import { Timeline } from './timeline';
import { firstTold, judgeWatches, type Watched } from './watch-judge';
import { kindNames } from './workload';

export interface Verdict {
  /** The first sentences of what is wrong. */
  readonly violations: readonly string[];
  /** Keys that were too much for the search for an order. */
  readonly undecided: number;
  readonly judgement: Judgement;
  readonly timeline: Timeline;
}

/** The calls of a history, read back: what is judged is what an outside checker would get. */
export function callsIn(path: string): readonly RecordedCall[] {
  const lines = readFileSync(path, 'utf8').trimEnd().split('\n');
  return lines.flatMap((line) => callOfLine(line) ?? []);
}

export function verdictOn(calls: readonly RecordedCall[], watches: readonly Watched[]): Verdict {
  const [reference] = watches;
  const timeline = new Timeline(reference?.events ?? []);
  const judgement = judge(calls, timeline, seenBy(calls, firstTold(watches)));
  const found = [judgeWatches(watches), judgement.violations, judgeLeases(calls, judgement.expiries)].flat();
  return { violations: found.slice(0, 20), undecided: checkLinearizable(calls), judgement, timeline };
}

/** How many calls of a class (of all, if it is empty) ended in some way. */
export function countOf(calls: readonly RecordedCall[], kind: string, outcome?: CallOutcome): number {
  return calls.filter((call) => (kind === '' || call.kind === kind) && (outcome ?? call.outcome) === call.outcome)
    .length;
}

/** When anybody was first told of a revision, by an answer or by a watch. */
function seenBy(calls: readonly RecordedCall[], told: ReadonlyMap<number, number>): (revision: number) => number {
  const times = new Map(told);
  for (const { answer, returnedAt, outcome } of calls) {
    if (outcome !== 'ok' || answer === undefined) continue;
    times.set(answer.revision, Math.min(times.get(answer.revision) ?? Infinity, returnedAt));
  }
  return (revision) => times.get(revision) ?? Infinity;
}

/** The volumes as a table for whoever reads the log. */
export function describeVolumes(calls: readonly RecordedCall[], verdict: Verdict, { faults }: Run): string {
  const lines = kindNames.map((kind) => {
    const [ok, not, unknown] = (['ok', 'definite', 'ambiguous'] as const).map((it) => countOf(calls, kind, it));
    return `${kind.padEnd(20)} ${String(ok)} ok, ${String(not)} not done, ${String(unknown)} unknown`;
  });
  const struck = [...faults.struck].map(([name, times]) => `${name} ${String(times)} times`);
  const { judgement, timeline } = verdict;
  return [
    `${String(calls.length)} calls, ${String(timeline.lastRevision)} revisions`,
    `${String(judgement.lateEffects)} calls of unknown outcome took effect`,
    `${String(judgement.expiries.length)} leases with keys expired`,
    ...[...struck, ...lines],
  ].join('\n');
}
