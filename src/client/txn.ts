/** Transactions: conditions, operations, and the builder that puts them together. */
import type { KeyValue, Selection, Value } from './types';
import type { DeleteOptions, ExpiryOptions, MutationOptions } from './types';

/** How the property of a key is compared with what is given. */
export type Operator = '=' | '!=' | '>' | '<';

/** With what a key is compared. A key that is not there has version, revisions and lease 0, and no value. */
export type ConditionTarget =
  | { readonly kind: 'version' | 'create-revision' | 'mod-revision'; readonly number: number }
  | { readonly kind: 'value'; readonly value: Value }
  | { readonly kind: 'lease'; readonly leaseId: bigint };

/** A condition on one key, or on every key of a selection. On a selection without keys it holds, unless it is of values. */
export interface Condition {
  readonly keys: string | Selection;
  readonly operator: Operator;
  readonly target: ConditionTarget;
}

/** How a transaction puts. */
export interface PutOperationOptions extends ExpiryOptions {
  /** Answer with the key as it was. */
  readonly returnPrevious?: boolean;
}

/** How a transaction lists. */
export interface ListOperationOptions {
  /** Most keys, 1 to 1000. Default: the server's. */
  readonly limit?: number;
  readonly keysOnly?: boolean;
  /** Only count. */
  readonly countOnly?: boolean;
}

/** One step of a transaction. */
export type Operation =
  | { readonly kind: 'put'; readonly key: string; readonly value: Value; readonly options: PutOperationOptions }
  | { readonly kind: 'get'; readonly key: string }
  | { readonly kind: 'list'; readonly selection: Selection; readonly options: ListOperationOptions }
  | { readonly kind: 'delete'; readonly key: string; readonly options: Pick<DeleteOptions, 'returnPrevious'> }
  | { readonly kind: 'delete-range'; readonly selection: Selection }
  | ({ readonly kind: 'txn' } & Transaction);

/** If all conditions hold, then the one list is done, else the other; all of it at one revision, or nothing. */
export interface Transaction {
  /** Tested on the state before the transaction. None: they hold. */
  readonly conditions: readonly Condition[];
  readonly success: readonly Operation[];
  readonly failure: readonly Operation[];
}

/** The result of one operation, of the same kind. */
export type OperationAnswer =
  | {
      readonly kind: 'put';
      readonly createRevision: number;
      readonly version: number;
      readonly previous: KeyValue | undefined;
      readonly leaseId: bigint | undefined;
    }
  | { readonly kind: 'get'; readonly kv: KeyValue | undefined }
  | { readonly kind: 'list'; readonly kvs: readonly KeyValue[]; readonly more: boolean; readonly count: number }
  | { readonly kind: 'delete'; readonly deleted: boolean; readonly previous: KeyValue | undefined }
  | { readonly kind: 'delete-range'; readonly deleted: number }
  | { readonly kind: 'txn'; readonly succeeded: boolean; readonly results: readonly OperationAnswer[] };

/** Answer to a transaction. */
export interface TxnAnswer {
  /** Whether the conditions held. */
  readonly succeeded: boolean;
  /** One for each operation of the list that was done, in order. */
  readonly results: readonly OperationAnswer[];
  /** The store's revision afterwards; a new one only if something changed. */
  readonly revision: number;
  /** This is the answer to an earlier attempt with the same request id. */
  readonly replayed: boolean;
}

/** Conditions. */
export const when = {
  exists: (key: string): Condition => compared(key, '>', { kind: 'version', number: 0 }),
  absent: (key: string): Condition => compared(key, '=', { kind: 'version', number: 0 }),
  version: (keys: string | Selection, operator: Operator, number: number): Condition =>
    compared(keys, operator, { kind: 'version', number }),
  createRevision: (keys: string | Selection, operator: Operator, number: number): Condition =>
    compared(keys, operator, { kind: 'create-revision', number }),
  modRevision: (keys: string | Selection, operator: Operator, number: number): Condition =>
    compared(keys, operator, { kind: 'mod-revision', number }),
  value: (keys: string | Selection, operator: Operator, value: Value): Condition =>
    compared(keys, operator, { kind: 'value', value }),
  lease: (keys: string | Selection, operator: Operator, leaseId: bigint): Condition =>
    compared(keys, operator, { kind: 'lease', leaseId }),
} as const;

/** Operations. */
export const op = {
  put: (key: string, value: Value, options: PutOperationOptions = {}): Operation => ({
    kind: 'put',
    key,
    value,
    options,
  }),
  get: (key: string): Operation => ({ kind: 'get', key }),
  list: (selection: Selection, options: ListOperationOptions = {}): Operation => ({ kind: 'list', selection, options }),
  delete: (key: string, options: Pick<DeleteOptions, 'returnPrevious'> = {}): Operation => ({
    kind: 'delete',
    key,
    options,
  }),
  deleteRange: (selection: Selection): Operation => ({ kind: 'delete-range', selection }),
  txn: (transaction: Partial<Transaction>): Operation => ({
    kind: 'txn',
    conditions: transaction.conditions ?? [],
    success: transaction.success ?? [],
    failure: transaction.failure ?? [],
  }),
} as const;

/** Puts a transaction together: `client.txn().if(when.absent('a')).do(op.put('a', '1')).else(op.get('a')).commit()`. */
export class TxnBuilder implements Transaction {
  readonly conditions: Condition[] = [];
  readonly success: Operation[] = [];
  readonly failure: Operation[] = [];
  readonly #commit: (transaction: Transaction, options: MutationOptions) => Promise<TxnAnswer>;

  constructor(commit: (transaction: Transaction, options: MutationOptions) => Promise<TxnAnswer>) {
    this.#commit = commit;
  }

  /** Adds conditions; all of them must hold. */
  if(...conditions: readonly Condition[]): this {
    this.conditions.push(...conditions);
    return this;
  }

  /** Adds operations that are done if the conditions hold. */
  do(...operations: readonly Operation[]): this {
    this.success.push(...operations);
    return this;
  }

  /** Adds operations that are done if they do not hold. */
  else(...operations: readonly Operation[]): this {
    this.failure.push(...operations);
    return this;
  }

  /** Carries the transaction out. Conditions that do not hold are an answer, not an error. */
  commit(options: MutationOptions = {}): Promise<TxnAnswer> {
    return this.#commit(this, options);
  }
}

/** Whether a transaction can change nothing, whichever list is done. */
export function onlyReads({ success, failure }: Transaction): boolean {
  return [...success, ...failure].every((operation) => {
    if (operation.kind === 'txn') return onlyReads(operation);
    return operation.kind === 'get' || operation.kind === 'list';
  });
}

function compared(keys: string | Selection, operator: Operator, target: ConditionTarget): Condition {
  return { keys, operator, target };
}
