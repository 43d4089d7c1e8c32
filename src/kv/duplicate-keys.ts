/** The rule that a transaction changes no key twice by accident. Pure. */
import BTree from 'sorted-btree';
import type { Operation, TxnOperation } from './command';

/** What the operations of a list do to keys. */
interface Touched {
  readonly puts: Set<string>;
  readonly deletes: DeletedKeys;
}

/**
 * True if a transaction breaks the rule of etcd v3.5: within a list of operations no key is put twice, and no key is put
 * that a delete of the list covers, whatever their order. A nested transaction counts with the list it stands in, but its
 * two branches may put the same key, since only one of them is done. Deletes may overlap.
 *
 * As in etcd, a delete to the last key is not looked at ("delete all, then put these" is a way of programs to replace
 * everything), and a delete in a nested transaction is held only against puts that come after it or stand outside.
 */
export function touchesKeyTwice(txn: TxnOperation): boolean {
  return touchedBy(txn.success) === undefined || touchedBy(txn.failure) === undefined;
}

/** `undefined` when the rule is broken. */
function touchedBy(operations: readonly Operation[]): Touched | undefined {
  const touched: Touched = { puts: new Set(), deletes: new DeletedKeys() };
  for (const operation of operations) if (operation.kind === 'delete') touched.deletes.add(operation.range);
  for (const operation of operations) {
    if (operation.kind === 'txn' && !includeNested(touched, operation)) return undefined;
  }
  for (const operation of operations) {
    if (operation.kind === 'put' && !includePut(touched, asText(operation.key))) return undefined;
  }
  return touched;
}

function includeNested(touched: Touched, { success, failure }: TxnOperation): boolean {
  const done = touchedBy(success);
  const otherwise = touchedBy(failure);
  if (done === undefined || otherwise === undefined) return false;
  for (const key of done.puts) if (!includePut(touched, key)) return false;
  for (const key of otherwise.puts) {
    if (touched.deletes.has(key) || (touched.puts.has(key) && !done.puts.has(key))) return false;
    touched.puts.add(key);
  }
  touched.deletes.addAll(done.deletes);
  touched.deletes.addAll(otherwise.deletes);
  return true;
}

function includePut({ puts, deletes }: Touched, key: string): boolean {
  if (puts.has(key) || deletes.has(key)) return false;
  puts.add(key);
  return true;
}

/** Ranges of keys that do not overlap, by their starts. Keys are latin1 strings, which sort like their bytes. */
class DeletedKeys {
  readonly #ends = new BTree<string, string>(undefined, compareKeys);

  add({ start, end }: { readonly start: Uint8Array; readonly end: Uint8Array | undefined }): void {
    if (end !== undefined) this.#add(asText(start), asText(end));
  }

  addAll(other: DeletedKeys): void {
    for (const [start, end] of other.#ends.entries()) this.#add(start, end);
  }

  has(key: string): boolean {
    const before = this.#ends.getPairOrNextLower(key);
    return before !== undefined && key < before[1];
  }

  /** Joins the ranges that touch the new one. */
  #add(start: string, end: string): void {
    if (start >= end) return;
    const before = this.#ends.getPairOrNextLower(start);
    const from = before !== undefined && before[1] >= start ? before[0] : start;
    let to = before !== undefined && before[1] > end ? before[1] : end;
    for (let next = this.#ends.getPairOrNextHigher(from); next !== undefined && next[0] <= to;) {
      if (next[1] > to) to = next[1];
      this.#ends.delete(next[0]);
      next = this.#ends.getPairOrNextHigher(from);
    }
    this.#ends.set(from, to);
  }
}

function asText(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
}

function compareKeys(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
