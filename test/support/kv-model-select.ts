/** A range as etcd means it, from all records of the range in the order of their keys. */
import type { RangeOperation } from '../../src/kv/command';
import type { KeyRecord, RangeResult } from '../../src/kv/result';

const noValue = Buffer.alloc(0);

export function selectOf(inRange: readonly KeyRecord[], operation: RangeOperation, revision: number): RangeResult {
  const count = inRange.length;
  if (operation.countOnly) return { kind: 'range', revision, records: [], more: false, count };
  const { minModRevision, maxModRevision, minCreateRevision, maxCreateRevision, sortTarget, sortOrder } = operation;
  const isBounded = [minModRevision, maxModRevision, minCreateRevision, maxCreateRevision].some((each) => each !== 0);
  const sortsAll = operation.limit === 0 || sortOrder !== 'none' || isBounded;
  const kept = (sortsAll ? inRange : inRange.slice(0, operation.limit + 1)).filter(
    ({ modRevision, createRevision }) =>
      modRevision >= minModRevision &&
      (maxModRevision === 0 || modRevision <= maxModRevision) &&
      createRevision >= minCreateRevision &&
      (maxCreateRevision === 0 || createRevision <= maxCreateRevision),
  );
  const order = (a: KeyRecord, b: KeyRecord): number => {
    if (sortTarget === 'key') return Buffer.compare(a.key, b.key);
    if (sortTarget === 'value') return Buffer.compare(a.value, b.value);
    if (sortTarget === 'version') return a.version - b.version;
    return sortTarget === 'mod' ? a.modRevision - b.modRevision : a.createRevision - b.createRevision;
  };
  kept.sort((a, b) => (sortOrder === 'descend' ? order(b, a) : order(a, b)));
  const limited = operation.limit === 0 ? kept : kept.slice(0, operation.limit);
  const records = limited.map((record) => (operation.keysOnly ? { ...record, value: noValue } : record));
  return { kind: 'range', revision, records, more: limited.length < kept.length, count };
}
