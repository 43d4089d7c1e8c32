/** The changes of one revision: rows, the key index, leases and what listeners are told. */
import { isUtf8 } from 'node:buffer';
import { assert } from '../base/assert';
import type { Batch } from './batch';
import { noLease, type KeyRange, type PutOperation } from './command';
import { formOf, RowFlags } from './history-row';
import { keyToBytes, keyToString } from './key-index';
import { newest, noValue, recordOfDelete, type KeyRecords } from './key-records';
import type { KvState } from './kv-state';
import type { DeleteResult, KeyRecord, PutResult } from './result';

/** Nothing is refused here any more: that every change can be made was checked before the first. */
export class RevisionWriter {
  readonly #state: KvState;
  readonly #records: KeyRecords;
  readonly #batch: Batch;
  /** How many changes were made: the place of the next one in the revision. */
  #sub = 0;

  constructor(state: KvState, records: KeyRecords, batch: Batch) {
    this.#state = state;
    this.#records = records;
    this.#batch = batch;
  }

  /** The store's revision, counting the one that is being made once it has a change. */
  get revision(): number {
    return this.#sub === 0 ? this.#batch.facts.revision : this.#batch.facts.revision + 1;
  }

  get hasChanged(): boolean {
    return this.#sub > 0;
  }

  put(operation: PutOperation): PutResult {
    const name = keyToString(operation.key);
    const { index } = this.#state;
    const existing =
      operation.returnPrevious || operation.keepValue ? this.#records.get(operation.key, newest) : undefined;
    const value = operation.keepValue && existing !== undefined ? existing.value : operation.value;
    const form = operation.keepValue && existing !== undefined ? existing.form : operation.form;
    const lease = operation.keepLease ? this.#state.leases.leaseOf(name) : operation.lease;
    const { revision, row, sub } = this.#next();
    const flags =
      RowFlags.put |
      (form === 'text' ? RowFlags.textValue : 0) |
      (lease === noLease ? 0 : RowFlags.leased) |
      keyFlags(operation.key);
    const { createRevision, version } = index.put(name, { row, revision, flags });
    this.#state.leases.attach(name, lease);
    const { key } = operation;
    this.#state.store.history.insert({ row, revision, sub, createRevision, version, flags, lease, key, value });
    if (this.#batch.isObserved) {
      const record = { key, value, form: formOf(flags), createRevision, modRevision: revision, version, lease };
      this.#batch.changed({ revision, sub, kind: 'put', record });
    }
    return {
      kind: 'put',
      revision,
      createRevision,
      version,
      previous: operation.returnPrevious ? existing : undefined,
    };
  }

  delete(range: KeyRange, returnPrevious: boolean): DeleteResult {
    const names: string[] = [];
    const previous: KeyRecord[] = [];
    this.#records.visit(range, newest, (name, held) => {
      names.push(name);
      if (returnPrevious && typeof held !== 'number') previous.push(this.#records.recordOf(name, held));
      return 'next';
    });
    for (const name of names) this.deleteKey(name);
    return { kind: 'delete', revision: this.revision, deleted: names.length, previous };
  }

  /** Deletes a key that is there. */
  deleteKey(name: string): void {
    const { revision, row, sub } = this.#next();
    const deleted = this.#state.index.delete(name, { row, revision });
    assert(deleted !== undefined, 'a key that is deleted is there');
    this.#state.leases.attach(name, noLease);
    const key = keyToBytes(name);
    this.#state.store.history.insert({
      row,
      revision,
      sub,
      createRevision: 0,
      version: 0,
      flags: keyFlags(key),
      lease: noLease,
      key,
      value: noValue,
    });
    if (!this.#batch.isObserved) return;
    this.#batch.changed({ revision, sub, kind: 'delete', record: recordOfDelete(key, revision) });
  }

  /** Makes the revision the store's, if it has a change. */
  finish(): void {
    this.#batch.facts.revision = this.revision;
    this.#sub = 0;
  }

  #next(): { readonly revision: number; readonly row: number; readonly sub: number } {
    const { facts } = this.#batch;
    const revision = facts.revision + 1;
    assert(Number.isSafeInteger(revision), 'a revision is a safe integer');
    facts.lastRow += 1;
    return { revision, row: facts.lastRow, sub: this.#sub++ };
  }
}

function keyFlags(key: Uint8Array): number {
  return isUtf8(key) ? RowFlags.textKey : 0;
}
