/** An API as the recorder uses it: an operation of the simulator's clients, and what came of it. */
import type { Answer, ReadAnswer } from '../../../src/sim/workload/call';
import type { KeyRecord, OperationResult, RangeResult } from '../../../src/kv/result';
import type { Api, PromisedLease } from './recorded-call';
import type { Drawn } from './workload';

/** What an API answered. An answer without a revision is none to the simulator's checkers. */
export interface Told {
  readonly answer: Answer | undefined;
  readonly lease?: PromisedLease | undefined;
}

export interface Surface {
  readonly api: Api;
  /** The names of the members that it calls. */
  readonly members: string;
  /** @throws QuorateError */
  make(drawn: Omit<Drawn, 'draw'>): Promise<Told>;
}

/** A read in the simulator's words. */
export function readAnswer(revision: number, found: readonly KeyRecord[], counts?: ReadAnswer['counts']): Told {
  return { answer: { kind: 'read', appliedIndex: 0, revision, found, counts, refusal: undefined } };
}

export const rangeResult = (records: readonly KeyRecord[], count: number, more: boolean): RangeResult => {
  return { kind: 'range', revision: 0, records, count, more };
};

/** What a result tells, whichever API brought it: neither the form of values nor the revisions within transactions. */
export function toldText(result: OperationResult): string {
  switch (result.kind) {
    case 'put':
      return `put ${String(result.createRevision)} v${String(result.version)} was ${toldRecord(result.previous)}`;
    case 'delete':
      return `deleted ${String(result.deleted)} [${result.previous.map(toldRecord).join()}]`;
    case 'range':
      return `${String(result.count)}${result.more ? '+' : ''} [${result.records.map(toldRecord).join()}]`;
    case 'txn':
      return `${result.succeeded ? 'then' : 'else'} {${result.results.map(toldText).join('; ')}}`;
  }
}

export function toldRecord(record: KeyRecord | undefined): string {
  if (record === undefined) return 'nothing';
  const { key, value, createRevision, modRevision, version, lease } = record;
  const text = `${String(Buffer.from(key))}=${String(Buffer.from(value))}`;
  return `${text} ${String(createRevision)} ${String(modRevision)} v${String(version)} l${String(lease)}`;
}
