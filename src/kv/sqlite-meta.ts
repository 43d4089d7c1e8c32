/** The one row of facts about a state database: whose it is, and the counters that change with its rows. */
import { crc32 } from 'node:zlib';
import type Database from 'better-sqlite3';
import { assert } from '../base/assert';
import { QuorateError } from '../base/error';
import { numbersChecksum } from './history-row';

/** The counters of the replicated state: equal on every member that has applied the same entries. */
export interface StateFacts {
  readonly appliedIndex: number;
  readonly appliedTerm: number;
  readonly revision: number;
  /** 0 when nothing was ever compacted. */
  readonly compactRevision: number;
  /** The store's own clock. */
  readonly clockMs: number;
  /** 0 for none. */
  readonly quotaBytes: number;
  /** The greatest request id that was forgotten; empty when there is none. */
  readonly forgottenRequest: Uint8Array;
}

/** All counters, also those of this copy alone. They change in the same transaction as the rows. */
export interface MetaFacts extends StateFacts {
  /** The newest row of the history; 0 when there never was one. */
  readonly lastRow: number;
  /** How many rows up to there a compaction has removed. */
  readonly removedRows: number;
  /** Rows up to here leave no compacted row behind. */
  readonly sweptRow: number;
  /** How many rows the small tables have. */
  readonly leases: number;
  readonly requests: number;
  readonly alarms: number;
}

type MetaTuple = [
  clusterId: string,
  ...numbers: [number, number, number, number, number, number, number, number, number, number, number, number],
  forgottenRequest: Buffer,
  checksum: number,
];

const columns =
  'cluster_id, applied_index, applied_term, revision, compact_revision, clock_ms, quota_bytes, last_row, removed_rows, ' +
  'swept_row, leases, requests, alarms, forgotten_request, checksum';

const firstFacts: MetaFacts = {
  appliedIndex: 0,
  appliedTerm: 0,
  revision: 1,
  compactRevision: 0,
  clockMs: 0,
  quotaBytes: 0,
  forgottenRequest: Buffer.alloc(0),
  lastRow: 0,
  removedRows: 0,
  sweptRow: 0,
  leases: 0,
  requests: 0,
  alarms: 0,
};

/** Reads and writes the row. */
export class MetaRow {
  readonly #select: Database.Statement<[], MetaTuple>;
  readonly #update: Database.Statement;
  readonly #name: string;

  constructor(db: Database.Database) {
    this.#name = db.name;
    this.#select = db.prepare<[], MetaTuple>(`SELECT ${columns} FROM meta`).raw(true);
    this.#update = db.prepare(`UPDATE meta SET (${columns}) = (${placeholders})`);
  }

  /** @throws QuorateError `damaged`; gives `undefined` when there is no such row yet */
  read(): { readonly clusterId: string; readonly facts: MetaFacts } | undefined {
    const tuple = this.#select.get();
    if (tuple === undefined) return undefined;
    const [clusterId, appliedIndex, appliedTerm, revision, compactRevision, clockMs, quotaBytes] = tuple;
    const [, , , , , , , lastRow, removedRows, sweptRow, leases, requests, alarms, forgottenRequest, checksum] = tuple;
    const state = { appliedIndex, appliedTerm, revision, compactRevision, clockMs, quotaBytes, forgottenRequest };
    const facts: MetaFacts = { ...state, lastRow, removedRows, sweptRow, leases, requests, alarms };
    if (checksumOf(clusterId, facts) === checksum) return { clusterId, facts };
    throw new QuorateError('damaged', `the state database ${this.#name} is damaged: its counters fail their checksum`);
  }

  write(clusterId: string, facts: MetaFacts): void {
    const { changes } = this.#update.run(...valuesOf(clusterId, facts));
    assert(changes === 1, 'the store has one row of counters');
  }
}

/** The first row of a database that has none. */
export function insertFirstMeta(db: Database.Database, clusterId: string, facts: Partial<MetaFacts> = {}): MetaFacts {
  const first = { ...firstFacts, ...facts };
  db.prepare(`INSERT INTO meta (id, ${columns}) VALUES (1, ${placeholders})`).run(...valuesOf(clusterId, first));
  return first;
}

/** How many rows the history has. */
export function rowCount({ lastRow, removedRows }: Pick<MetaFacts, 'lastRow' | 'removedRows'>): number {
  return lastRow - removedRows;
}

/** True if all counters are equal: of one member's state, they are so only if it is the same. */
export function equalCounters(a: MetaFacts, b: MetaFacts): boolean {
  const others = numbersOf(b);
  return numbersOf(a).every((value, at) => value === others[at]);
}

/** A cluster's id as the database holds it. */
export function formatClusterId(clusterId: bigint): string {
  assert(clusterId > 0n && clusterId < 2n ** 64n, 'a cluster id has 64 bits and is not 0');
  return clusterId.toString(16).padStart(16, '0');
}

const placeholders = columns.replaceAll(/\w+/g, '?');

function valuesOf(clusterId: string, facts: MetaFacts): unknown[] {
  return [clusterId, ...numbersOf(facts), facts.forgottenRequest, checksumOf(clusterId, facts)];
}

/** In the order of the columns. */
function numbersOf(facts: MetaFacts): number[] {
  const { appliedIndex, appliedTerm, revision, compactRevision, clockMs, quotaBytes } = facts;
  const { lastRow, removedRows, sweptRow, leases, requests, alarms } = facts;
  return [
    ...[appliedIndex, appliedTerm, revision, compactRevision, clockMs, quotaBytes],
    ...[lastRow, removedRows, sweptRow, leases, requests, alarms],
  ];
}

/** Over the counters and whose they are. */
function checksumOf(clusterId: string, facts: MetaFacts): number {
  const seed = crc32(clusterId);
  const { forgottenRequest } = facts;
  return numbersChecksum(numbersOf(facts), forgottenRequest.length === 0 ? seed : crc32(forgottenRequest, seed));
}
