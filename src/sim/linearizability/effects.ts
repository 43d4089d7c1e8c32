/** What a call did to one key, or saw of it. */
import type { Operation as Step } from '../../kv/command';
import type { Result } from '../../kv/result';
import { latin1 } from '../model/result-text';
import type { Call, Mutation } from '../workload/call';
import type { RegisterCall } from './register';

/** One call, or all calls with the same command under the same request id. */
export interface Attempt {
  readonly calls: Call[];
}

/** A branch of a transaction, step by step, with what came of each if that is known. */
interface Done {
  readonly step: Step;
  readonly result: Result | undefined;
}

/** The keys that anybody asked for, except those that leases may delete: of these nobody sees all changes. */
export function keysOf(calls: readonly Call[]): readonly string[] {
  const keys = calls.flatMap(({ operation }) => {
    if (operation.kind === 'get') return [operation.key];
    const isPut = operation.kind === 'mutation' && operation.command.kind === 'put';
    return isPut ? [latin1(operation.command.key)] : [];
  });
  return [...new Set(keys)].filter((key) => !isLeased(key)).sort();
}

/** Such keys are attached to leases. */
function isLeased(key: string): boolean {
  return key.startsWith('l');
}

/** Of keys in ascending order, those that an attempt may have to do with. */
export function touchedOf({ calls }: Attempt, keys: readonly string[]): readonly string[] {
  const [first] = calls;
  if (first === undefined) return [];
  const { operation } = first;
  switch (operation.kind) {
    case 'mutation':
      return touchedByMutation(operation, keys);
    case 'get':
      return within(keys, { start: operation.key, end: `${operation.key}\0` });
    case 'list':
      return within(keys, operation);
    case 'select':
    case 'renew':
    case 'lease':
      return [];
  }
}

function touchedByMutation({ command }: Mutation, keys: readonly string[]): readonly string[] {
  if (command.kind !== 'put' && command.kind !== 'delete' && command.kind !== 'txn') return [];
  const steps = stepsOf({ step: command, result: undefined });
  return [...new Set(steps.flatMap((done) => within(keys, rangeOf(done))))];
}

function rangeOf({ step }: Done): { readonly start: string; readonly end: string | undefined } {
  if (step.kind === 'put') return { start: latin1(step.key), end: `${latin1(step.key)}\0` };
  if (step.kind !== 'delete') return { start: '', end: '' };
  const { start, end } = step.range;
  return { start: latin1(start), end: end && latin1(end) };
}

function within(
  keys: readonly string[],
  { start, end }: { readonly start: string; readonly end: string | undefined },
): readonly string[] {
  return keys.slice(firstFrom(keys, start), end === undefined ? keys.length : firstFrom(keys, end));
}

/** Where the keys from `start` on begin. */
function firstFrom(keys: readonly string[], start: string): number {
  let low = 0;
  for (let high = keys.length; low < high;) {
    const middle = (low + high) >>> 1;
    if ((keys[middle] ?? '') < start) low = middle + 1;
    else high = middle;
  }
  return low;
}

export function effectsOf({ calls }: Attempt, key: string): readonly RegisterCall[] {
  const [first] = calls;
  if (first === undefined) return [];
  const { operation } = first;
  switch (operation.kind) {
    case 'mutation':
      return effectsOfMutation(operation, calls, key);
    case 'get':
    case 'list': {
      const { answer, outcome, invokedAt, returnedAt } = first;
      const isOfNow = !operation.isStale && operation.revision === 0;
      if (outcome !== 'ok' || answer?.kind !== 'read' || !isOfNow) return [];
      if (operation.kind === 'get' ? operation.key !== key : key < operation.start || key >= operation.end) return [];
      const found = answer.found.find((record) => latin1(record.key) === key);
      const value = found && latin1(found.value);
      // After the change that made the revision it tells.
      const place = answer.revision + 0.5;
      return [{ invokedAt, returnedAt, kind: 'read', value, existed: undefined, place, sawPlace: found?.modRevision }];
    }
    case 'select':
    case 'renew':
    case 'lease':
      return [];
  }
}

function effectsOfMutation({ command }: Mutation, calls: readonly Call[], key: string): readonly RegisterCall[] {
  if (command.kind !== 'put' && command.kind !== 'delete' && command.kind !== 'txn') return [];
  if (calls.every(({ outcome }) => outcome === 'definite')) return [];
  const answered = calls.filter(({ outcome, answer }) => outcome === 'ok' && !isUncertain(answer as Result));
  const times = {
    invokedAt: Math.min(...calls.map((call) => call.invokedAt)),
    returnedAt: Math.min(Infinity, ...answered.map((call) => call.returnedAt)),
    place: answered[0]?.answer?.revision,
  };
  const result = answered[0]?.answer as Result | undefined;
  return stepsOf({ step: command, result }).flatMap((done) => effectOf(done, key, times));
}

/** It was not done now, but may have been before. */
function isUncertain(result: Result): boolean {
  return result.kind === 'refused' && (result.refusal === 'request-expired' || result.refusal === 'request-mismatch');
}

/** The operations that were done, or may have been, nested ones in the place of what holds them. */
function stepsOf({ step, result }: Done): readonly Done[] {
  if (result?.kind === 'refused') return [];
  if (step.kind !== 'txn') return [{ step, result }];
  if (result?.kind !== 'txn') {
    return [...step.success, ...step.failure].flatMap((each) => stepsOf({ step: each, result: undefined }));
  }
  const branch = result.succeeded ? step.success : step.failure;
  return branch.flatMap((each, at) => stepsOf({ step: each, result: result.results[at] }));
}

function effectOf(
  { step, result }: Done,
  key: string,
  times: Pick<RegisterCall, 'invokedAt' | 'returnedAt' | 'place'>,
): readonly RegisterCall[] {
  switch (step.kind) {
    case 'put':
      if (latin1(step.key) !== key) return [];
      return [{ ...times, kind: 'write', value: latin1(step.value), existed: undefined }];
    case 'delete': {
      const { start, end } = step.range;
      if (key < latin1(start) || (end !== undefined && key >= latin1(end))) return [];
      const isOfOneKey = end !== undefined && latin1(end) === `${latin1(start)}\0`;
      const deleted = result?.kind === 'delete' ? result.deleted : undefined;
      const existed = deleted === 0 ? false : isOfOneKey && deleted !== undefined ? true : undefined;
      return [{ ...times, kind: 'delete', value: undefined, existed }];
    }
    case 'range':
    case 'txn':
      return [];
  }
}
