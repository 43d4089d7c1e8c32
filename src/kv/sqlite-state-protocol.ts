/** What the main thread asks of the worker of the state database, and what it answers. */
import type { ErrorCode } from '../base/error';
import type { LogPosition } from '../raft';
import type { CheckedRows, RowRange } from './row-check';
import type { Vacuumed } from './sqlite-vacuum';

/** What the worker is started with. */
export interface StateWorkerOptions {
  readonly path: string;
  readonly clusterId: bigint;
}

/** What it can be asked; each is answered with one value, in order. */
export interface StateRequests {
  /** Make durable what is applied; moves the write-ahead log into the database as far as it goes. */
  readonly checkpoint: { readonly ask: object; readonly answer: { readonly appliedIndex: number } };
  /** Give a bounded number of free pages back. */
  readonly vacuum: { readonly ask: object; readonly answer: Vacuumed };
  /** Check the first rows of a range. */
  readonly check: { readonly ask: RowRange; readonly answer: CheckedRows };
  /** Copy the state to a new file. */
  readonly copy: {
    readonly ask: { readonly to: string };
    readonly answer: { readonly last: LogPosition; readonly sizeBytes: number; readonly sha256: string };
  };
  /** Check a file that came in, and make it durable under the name `received`. */
  readonly keep: {
    readonly ask: { readonly path: string; readonly received: string; readonly last: LogPosition };
    readonly answer: object;
  };
  /** Close the database until it is needed again. */
  readonly release: { readonly ask: object; readonly answer: object };
}

export type StateRequestKind = keyof StateRequests;

export type StateRequest = {
  [Kind in StateRequestKind]: { readonly kind: Kind } & StateRequests[Kind]['ask'];
}[StateRequestKind];

export type StateReply =
  | { readonly ok: true; readonly answer: unknown }
  | { readonly ok: false; readonly code: ErrorCode; readonly message: string };
