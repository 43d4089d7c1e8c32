/** The hash that etcd v3.5 computes over its key space: equal for equal histories, here and there. */
import { crc32c } from '@node-rs/crc32';
import { QuorateError } from '../base/error';
import { KeyValue } from '../gen/etcd/mvccpb/kv';
import { RowFlags, type HistoryRow } from './history-row';
import { rowHeldAt } from './history-reads';
import type { KvState } from './kv-state';
import { checkRevision } from './refusals';
import type { KvHash } from './result';

/** Rows, and bytes of values, between two pauses. */
const stepRows = 500;
const stepBytes = 1 << 20;

/** How often a compaction may make it begin anew. */
const maxAttempts = 5;

/** etcd begins with the name of its bucket. */
const bucketName = 'key';

/**
 * CRC-32C over every row up to a revision that is not compacted, each in the form in which etcd stores it.
 *
 * @param current the state as it is now: another one after a snapshot was installed
 * @param revision 0 for the newest
 * @throws QuorateError `compacted`, `future-revision`
 */
export async function hashKeySpace(
  current: () => KvState,
  revision: number,
  pause: () => Promise<void>,
): Promise<KvHash> {
  for (let attempt = 0; attempt < maxAttempts; attempt++) {
    const state = current();
    checkRevision(revision, state.facts);
    const { compactRevision } = state.facts;
    const upTo = revision === 0 ? state.facts.revision : revision;
    const walk = new HashWalk(state, upTo);
    while (!walk.step()) {
      await pause();
      if (current() !== state || state.facts.compactRevision !== compactRevision) break;
    }
    if (walk.isDone) return { hash: walk.hash, revision: upTo, compactRevision };
  }
  throw new QuorateError('compacted', 'the store is compacted faster than it can be hashed', {
    details: { limit: String(current().facts.compactRevision) },
  });
}

/** Goes through the history once. What it has passed does not change meanwhile, unless the state is compacted. */
class HashWalk {
  hash = crc32c(bucketName);
  isDone = false;
  readonly #state: KvState;
  readonly #upTo: number;
  readonly #compactRevision: number;
  /** Some key is there at the revision. */
  readonly #isAnyHeld: boolean;
  #nextRow = 1;

  constructor(state: KvState, upTo: number) {
    this.#state = state;
    this.#upTo = upTo;
    this.#compactRevision = state.facts.compactRevision;
    this.#isAnyHeld = isAnyHeldAt(state, upTo);
  }

  /** @returns whether that was all */
  step(): boolean {
    let rows = 0;
    let bytes = 0;
    this.isDone = true;
    this.#state.store.history.visitFrom(this.#nextRow, (row) => {
      if (row.revision > this.#upTo) return 'stop';
      this.isDone = rows < stepRows && bytes < stepBytes;
      if (!this.isDone) return 'stop';
      rows += 1;
      bytes += row.value.length;
      if (this.#counts(row)) this.#add(row);
      this.#nextRow = row.row + 1;
      return 'next';
    });
    return this.isDone;
  }

  /**
   * What was compacted does not count, nor a deletion at exactly the compacted revision. (etcd decides by what holds the
   * keys at the revision asked for; if nothing does, by what its compaction left.)
   */
  #counts(row: HistoryRow): boolean {
    if (row.revision > this.#compactRevision) return true;
    if ((row.flags & RowFlags.put) === 0) return false;
    const decisive = this.#isAnyHeld ? this.#upTo : this.#compactRevision;
    return rowHeldAt(this.#state.index, row.key, decisive) === row.row;
  }

  #add(row: HistoryRow): void {
    this.hash = crc32c(storedValue(row), crc32c(storedKey(row), this.hash));
  }
}

function isAnyHeldAt({ index }: KvState, revision: number): boolean {
  let isAny = false;
  index.scanAt({ start: '', end: undefined, revision }, () => {
    isAny = true;
    return 'stop';
  });
  return isAny;
}

/** Revision, `_`, place in the revision, and `t` for a deletion. */
function storedKey({ revision, sub, flags }: HistoryRow): Buffer {
  const isDeletion = (flags & RowFlags.put) === 0;
  const key = Buffer.alloc(isDeletion ? 18 : 17);
  key.writeBigUInt64BE(BigInt(revision), 0);
  key.write('_', 8);
  key.writeBigUInt64BE(BigInt(sub), 9);
  if (isDeletion) key.write('t', 17);
  return key;
}

function storedValue(row: HistoryRow): Buffer {
  const isDeletion = (row.flags & RowFlags.put) === 0;
  const bytes = KeyValue.encode({
    key: view(row.key),
    createRevision: BigInt(row.createRevision),
    modRevision: isDeletion ? 0n : BigInt(row.revision),
    version: BigInt(row.version),
    value: view(row.value),
    lease: row.lease,
  }).finish();
  return view(bytes);
}

function view(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
