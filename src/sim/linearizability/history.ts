/** Judges the clients' history: key by key for linearizability, and as a whole by revisions. K1 and K2. */
import { encodeCommand } from '../../kv/command-codec';
import { check } from '../checkers/checker';
import { latin1 } from '../model/result-text';
import { isStaleRead, type Answer, type Call } from '../workload/call';
import { effectsOf, type Attempt, keysOf, touchedOf } from './effects';
import { judgeRegister, type RegisterCall } from './register';

/**
 * @returns how many keys were too much to decide on
 * @throws Violation K1 or K2
 */
export function checkLinearizable(calls: readonly Call[]): number {
  checkRevisions(calls);
  let undecided = 0;
  for (const [key, ofKey] of byKey(calls)) {
    const verdict = judgeRegister(ofKey);
    check(verdict !== 'not linearizable', 'K1', () => `what clients saw of ${key} has no explanation`);
    if (verdict === 'undecided') undecided++;
  }
  return undecided;
}

/** Revisions are unique, and whoever began after another returned sees no lower one. */
function checkRevisions(calls: readonly Call[]): void {
  const done = calls.filter(({ outcome, answer }) => outcome === 'ok' && !isReplay(answer));
  const writers = new Map<number, number>();
  for (const { id, answer } of done) {
    if (answer === undefined || !isWrite(answer)) continue;
    const other = writers.get(answer.revision);
    check(other === undefined, 'K1', () => `the calls ${other} and ${id} both made revision ${answer.revision}`);
    writers.set(answer.revision, id);
  }
  checkOrder(done);
}

function checkOrder(done: readonly Call[]): void {
  const byReturn = [...done].sort((a, b) => a.returnedAt - b.returnedAt);
  const byInvocation = [...done].sort((a, b) => a.invokedAt - b.invokedAt);
  let newest = 0;
  let returned = 0;
  for (const { id, invokedAt, answer, operation } of byInvocation) {
    for (
      let call = byReturn[returned];
      call !== undefined && call.returnedAt < invokedAt;
      call = byReturn[++returned]
    ) {
      newest = Math.max(newest, call.answer?.revision ?? 0);
    }
    if (answer === undefined || isStaleRead(operation)) continue;
    const isNewer = isWrite(answer) ? answer.revision > newest : answer.revision >= newest;
    check(
      isNewer,
      'K2',
      () => `call ${id} sees revision ${answer.revision}, though ${newest} was seen before it began`,
    );
  }
}

/** The answer of an earlier attempt: it tells nothing of when it was given again. */
function isReplay(answer: Answer | undefined): boolean {
  return answer !== undefined && 'replayed' in answer && answer.replayed;
}

/** True if it surely made the revision that it tells. */
function isWrite(answer: Answer): boolean {
  if (answer.kind === 'txn') return answer.results.some(isWrite);
  return answer.kind === 'put' || (answer.kind === 'delete' && answer.deleted > 0);
}

function byKey(calls: readonly Call[]): ReadonlyMap<string, readonly RegisterCall[]> {
  const keys = keysOf(calls);
  const all = new Map(keys.map((key): [string, RegisterCall[]] => [key, []]));
  for (const attempt of attemptsOf(calls)) {
    for (const key of touchedOf(attempt, keys)) all.get(key)?.push(...effectsOf(attempt, key));
  }
  return all;
}

/**
 * A command under a request id takes effect once, however often it is tried: any time between the first call and the
 * first answer.
 */
function attemptsOf(calls: readonly Call[]): readonly Attempt[] {
  const named = new Map<string, Attempt>();
  const attempts: Attempt[] = [];
  for (const call of calls) {
    const { operation } = call;
    const isNamed = operation.kind === 'mutation' && operation.requestId !== undefined;
    const name = isNamed ? latin1(encodeCommand(operation)) : undefined;
    const known = name === undefined ? undefined : named.get(name);
    if (known !== undefined) known.calls.push(call);
    else {
      const attempt = { calls: [call] };
      attempts.push(attempt);
      if (name !== undefined) named.set(name, attempt);
    }
  }
  return attempts;
}
