/** The rows of raft.db that are not entries: who owns the log, where it starts, term and vote. Each has its checksum. */
import { assert } from '../base/assert';
import { QuorateError } from '../base/error';
import type { Configuration, HardState } from '../raft';
import { checksumOfFacts } from './entry-codec';
import { damagedAdvice, type Connection } from './sqlite-connection';
import type { Identity } from './storage';

/** Position of the newest entry that was removed from the front, and the checksum that the next entry's starts from. */
export interface LogStart {
  readonly index: number;
  readonly term: number;
  readonly checksum: number;
}

/** The hard state, and the number of the group that wrote it. */
export interface StoredHardState {
  readonly hardState: HardState;
  readonly writeNumber: number;
}

interface IdentityRow {
  readonly cluster_id: string;
  readonly member_id: string;
  readonly voters: string;
  readonly outgoing: string;
  readonly learners: string;
  readonly checksum: number;
}

interface HardStateRow {
  readonly term: number;
  readonly voted_for: string | null;
  readonly write_number: number;
  readonly checksum: number;
}

interface LogStartRow {
  readonly last_removed_index: number;
  readonly last_removed_term: number;
  readonly last_removed_checksum: number;
  readonly checksum: number;
}

/** A 64-bit id as 16 hexadecimal digits. */
export function hexId(id: bigint): string {
  assert(id > 0n && id < 1n << 64n, 'an id has 64 bits and is not 0');
  return id.toString(16).padStart(16, '0');
}

/** Writes the rows of a new log. */
export function insertFacts(connection: Connection, identity: Identity, configuration: Configuration): void {
  const facts = [
    hexId(identity.clusterId),
    hexId(identity.memberId),
    hexIds(configuration.voters),
    hexIds(configuration.outgoing),
    hexIds(configuration.learners),
  ];
  connection
    .prepare('INSERT INTO identity VALUES (1, ?, ?, ?, ?, ?, ?)')
    .run(...facts, checksumOfFacts('identity', facts));
  const chainSeed = checksumOfFacts('chain', facts.slice(0, 2));
  connection
    .prepare('INSERT INTO log_start VALUES (1, 0, 0, ?, ?)')
    .run(chainSeed, logStartChecksum({ index: 0, term: 0, checksum: chainSeed }));
  const stored: StoredHardState = { hardState: { term: 0, votedFor: undefined }, writeNumber: 0 };
  connection.prepare('INSERT INTO hard_state VALUES (1, 0, NULL, 0, ?)').run(hardStateChecksum(stored));
}

/**
 * Checks that the log belongs to this member, and returns the configuration it starts from.
 *
 * @throws QuorateError `refused-to-start` for another member's or another cluster's log, `damaged`
 */
export function checkIdentity(connection: Connection, identity: Identity): Configuration {
  const row = connection.prepare<[], IdentityRow>('SELECT * FROM identity').get();
  if (row === undefined) throw damagedFact(connection, 'the identity is missing');
  const { cluster_id, member_id, voters, outgoing, learners } = row;
  if (row.checksum !== checksumOfFacts('identity', [cluster_id, member_id, voters, outgoing, learners])) {
    throw damagedFact(connection, 'the identity fails its checksum');
  }
  refuseStranger(connection.name, 'cluster', cluster_id, hexId(identity.clusterId));
  refuseStranger(connection.name, 'member', member_id, hexId(identity.memberId));
  return {
    voters: parseIds(voters),
    outgoing: parseIds(outgoing),
    learners: parseIds(learners),
    learnersNext: [],
    autoLeave: false,
    removed: [],
  };
}

/** @throws QuorateError `damaged` */
export function readHardState(connection: Connection): StoredHardState {
  const row = connection.prepare<[], HardStateRow>('SELECT * FROM hard_state').get();
  if (row === undefined) throw damagedFact(connection, 'term and vote are missing');
  const votedFor = row.voted_for === null ? undefined : parseId(row.voted_for);
  const stored = { hardState: { term: row.term, votedFor }, writeNumber: row.write_number };
  if (row.checksum !== hardStateChecksum(stored)) {
    throw damagedFact(connection, 'term and vote fail their checksum, so this member could vote twice in one term');
  }
  return stored;
}

/** @throws QuorateError `damaged` */
export function readLogStart(connection: Connection): LogStart {
  const row = connection.prepare<[], LogStartRow>('SELECT * FROM log_start').get();
  if (row === undefined) throw damagedFact(connection, 'the start of the log is missing');
  const { last_removed_index: index, last_removed_term: term, last_removed_checksum: checksum } = row;
  if (row.checksum !== logStartChecksum({ index, term, checksum })) {
    throw damagedFact(connection, 'the start of the log fails its checksum');
  }
  return { index, term, checksum };
}

export function hardStateChecksum({ hardState, writeNumber }: StoredHardState): number {
  const vote = hardState.votedFor === undefined ? 'nobody' : hexId(hardState.votedFor);
  return checksumOfFacts('hard-state', [hardState.term, vote, writeNumber]);
}

export function logStartChecksum({ index, term, checksum }: LogStart): number {
  return checksumOfFacts('log-start', [index, term, checksum]);
}

/** The refusal of a log whose content contradicts itself. */
export function damagedFact(connection: Connection, what: string): QuorateError {
  return new QuorateError('damaged', `${connection.name} is damaged: ${what}. ${damagedAdvice}`);
}

function refuseStranger(path: string, kind: 'cluster' | 'member', found: string, expected: string): void {
  if (found === expected) return;
  const option = kind === 'cluster' ? '--cluster-name and --initial-members' : '--name';
  throw new QuorateError(
    'refused-to-start',
    `${path} belongs to another ${kind}: it was created by ${kind} ${found}, and this is ${kind} ${expected}. ` +
      `Start with the same ${option} as at first, or give this member an empty --data-dir of its own.`,
    { details: { field: option, actual: expected, limit: found } },
  );
}

function hexIds(ids: readonly bigint[]): string {
  return ids.map(hexId).join(',');
}

function parseIds(text: string): readonly bigint[] {
  return text === '' ? [] : text.split(',').map(parseId);
}

function parseId(text: string): bigint {
  // Called on checked rows, and on a vote that is about to be checked: anything that does not parse is no id of anybody.
  return /^[0-9a-f]{16}$/.test(text) ? BigInt(`0x${text}`) : (1n << 64n) - 1n;
}
