/** Gives the free pages of a database back to the file system, a few at a time. */
import type { Database } from 'better-sqlite3';

/** What giving pages back has come to. */
export interface Vacuumed {
  /** Pages given back. */
  readonly given: number;
  /** There are more that are not needed. */
  readonly more: boolean;
}

/** Free pages that are kept: a megabyte, or a tenth of the pages in use. */
const minReservePages = 256;
const reserveShare = 0.1;

/** Gives back at most `pages` free pages in one transaction. */
export function vacuumPages(db: Database, pages: number): Vacuumed {
  const surplus = surplusPages(db);
  if (surplus <= 0) return { given: 0, more: false };
  const given = Math.min(pages, surplus);
  db.pragma(`incremental_vacuum(${String(given)})`);
  return { given, more: surplusPages(db) > 0 };
}

/** Free pages beyond those that soon will be used again: giving these back would only make the file grow again. */
function surplusPages(db: Database): number {
  const pages = Number(db.pragma('page_count', { simple: true }));
  const free = Number(db.pragma('freelist_count', { simple: true }));
  return free - Math.max(minReservePages, Math.floor((pages - free) * reserveShare));
}
