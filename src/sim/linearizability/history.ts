/** Judges the clients' history: key by key for linearizability, and as a whole by revisions. K1 and K2. */
import { check } from '../checkers/checker';
import type { Answer, Call } from '../workload/call';
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
  const done = calls.filter(({ outcome }) => outcome === 'ok');
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
    if (answer === undefined || ('stale' in operation && operation.stale)) continue;
    const isNewer = isWrite(answer) ? answer.revision > newest : answer.revision >= newest;
    check(
      isNewer,
      'K2',
      () => `call ${id} sees revision ${answer.revision}, though ${newest} was seen before it began`,
    );
  }
}

function isWrite(answer: Answer): boolean {
  return answer.kind === 'put' || (answer.kind === 'delete' && answer.deleted > 0);
}

function byKey(calls: readonly Call[]): ReadonlyMap<string, readonly RegisterCall[]> {
  const keys = new Map<string, RegisterCall[]>();
  const add = (key: string, call: RegisterCall): void => {
    const ofKey = keys.get(key);
    if (ofKey === undefined) keys.set(key, [call]);
    else ofKey.push(call);
  };
  const all = [...new Set(calls.flatMap(({ operation }) => ('key' in operation ? [operation.key] : [])))];
  for (const call of calls) for (const key of all) addTo(call, key, add);
  return keys;
}

/** What a call did to one key, or saw of it. */
function addTo(call: Call, key: string, add: (key: string, call: RegisterCall) => void): void {
  const { operation, outcome, invokedAt, answer } = call;
  if (outcome === 'definite') return;
  const returnedAt = outcome === 'ok' ? call.returnedAt : Infinity;
  const times = { invokedAt, returnedAt };
  switch (operation.kind) {
    case 'put':
      if (operation.key === key) add(key, { ...times, kind: 'write', value: operation.value, existed: undefined });
      return;
    case 'delete': {
      if (operation.key !== key) return;
      const existed = answer?.kind === 'delete' ? answer.deleted > 0 : undefined;
      add(key, { ...times, kind: 'delete', value: undefined, existed });
      return;
    }
    case 'get':
    case 'list': {
      if (answer?.kind !== 'read' || operation.stale) return;
      if (operation.kind === 'get' ? operation.key !== key : key < operation.start || key >= operation.end) return;
      const value = answer.found.find((found) => found.key === key)?.value;
      add(key, { ...times, kind: 'read', value, existed: undefined });
    }
  }
}
