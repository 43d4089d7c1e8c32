/** Rows of the history as columns, for tests that have no database. */
import { columnsFor, type HeadColumns, keyText } from '../../src/kv/head-columns';

/** A put of each key, one character a byte; the rows are numbered from `firstRow` on, and the revision is that of the row. */
export function putsOf(keys: readonly string[], firstRow = 1): HeadColumns {
  const bytes = keys.map((key) => Buffer.from(key, 'latin1'));
  const heads = columnsFor(keys.length, Buffer.concat(bytes));
  let end = 0;
  bytes.forEach((key, at) => {
    end += key.length;
    heads.keyEnds[at] = end;
    heads.rows[at] = firstRow + at;
    heads.revisions[at] = firstRow + at;
    heads.createRevisions[at] = firstRow + at;
    heads.versions[at] = 1;
    heads.flags[at] = 1;
  });
  return heads;
}

/** The key and the row of each. */
export function keysAndRows(heads: HeadColumns): [string, number][] {
  return Array.from({ length: heads.count }, (_, at) => [keyText(heads, at), heads.rows[at] ?? 0]);
}
