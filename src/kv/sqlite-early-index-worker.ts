/** The worker that has SQLite read the heads of a whole state database, and changes nothing. */
import { parentPort, workerData, type MessagePort } from 'node:worker_threads';
import Database from 'better-sqlite3';
import { required } from '../base/assert';
import type { EarlyIndexMessage, EarlyIndexOptions } from './early-index-protocol';
import { SqliteGuard } from './sqlite-guard';
import { HistoryRows } from './sqlite-history';
import { MetaRow, type MetaFacts } from './sqlite-meta';
import { busyTimeoutMs } from './sqlite-store';

function main(port: MessagePort, { path }: EarlyIndexOptions): void {
  let last: EarlyIndexMessage;
  try {
    last = { kind: 'done', facts: sendPages(port, path) };
  } catch (error) {
    // Whoever opens the state next meets the same, and gives it its place among our errors.
    last = { kind: 'failed', reason: error instanceof Error ? error.message : String(error) };
  }
  port.postMessage(last);
}

/** Sends all pages as one transaction sees them; returns the counters that it sees. */
function sendPages(port: MessagePort, path: string): MetaFacts {
  const db = new Database(path, { readonly: true, fileMustExist: true, timeout: busyTimeoutMs });
  try {
    return db.transaction(() => {
      const guard = new SqliteGuard(path);
      const meta = new MetaRow(db).read();
      if (meta === undefined) throw guard.damaged('its counters are missing');
      const history = new HistoryRows(db, guard);
      for (const page of history.headPages()) {
        // Handed over, not copied.
        const buffers = [page.numbers.buffer, page.keys.buffer] as ArrayBuffer[];
        port.postMessage({ kind: 'page', page } satisfies EarlyIndexMessage, buffers);
      }
      return meta.facts;
    })();
  } finally {
    db.close();
  }
}

main(required(parentPort ?? undefined, 'this file runs as a worker thread'), workerData as EarlyIndexOptions);
