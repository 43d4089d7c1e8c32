/** How every connection to a database of the log is opened: with settings that make a commit survive a power cut. */
import Database from 'better-sqlite3';
import { QuorateError } from '../base/error';

export type Connection = Database.Database;

/** `FULL` syncs the write-ahead log at every commit; `NORMAL` does not and loses acknowledged commits in a power cut. */
export type Synchronous = 'FULL' | 'NORMAL';

/** As `PRAGMA synchronous` tells them. */
const synchronousLevels: Readonly<Record<Synchronous, number>> = { NORMAL: 1, FULL: 2 };

/**
 * Of a new database; one that is there keeps its own. Measured beside SQLite's 4 KiB: puts of 16 KiB 1.1 to 1.3 times the
 * rate, since each page is two writes of the operating system; groups of small puts 1.0 to 1.07.
 */
const pageBytes = 16 * 1024;

/** How long another process, such as the sqlite3 shell of somebody looking, may keep us waiting for its lock. */
const busyTimeoutMs = 5000;

/**
 * Opens a connection and makes its commits durable.
 *
 * The build of SQLite inside better-sqlite3 lowers `synchronous` to NORMAL in WAL mode by itself, and no kill -9 shows
 * it: so both are set on every connection and read back (architecture §1.3).
 *
 * @throws QuorateError `refused-to-start`, `damaged`
 */
export function openConnection(path: string, synchronous: Synchronous): Connection {
  return explained(path, () => {
    const connection = new Database(path, { timeout: busyTimeoutMs });
    try {
      connection.pragma(`page_size = ${String(pageBytes)}`);
      connection.pragma('journal_mode = WAL');
      connection.pragma(`synchronous = ${synchronous}`);
      // On macOS an fsync does not reach the platter unless asked to; elsewhere these have no effect.
      connection.pragma('fullfsync = ON');
      connection.pragma('checkpoint_fullfsync = ON');
      // Checkpoints are ours: the automatic one, part of COMMIT, keeps an I/O error of its own to itself.
      connection.pragma('wal_autocheckpoint = 0');
      checkDurable(connection, path, synchronous);
      return connection;
    } catch (error) {
      connection.close();
      throw error;
    }
  });
}

/**
 * Reads the settings back.
 *
 * @throws QuorateError `refused-to-start` unless a commit on this connection survives a power cut
 */
export function checkDurable(connection: Connection, path: string, synchronous: Synchronous): void {
  const expected: Readonly<Record<string, unknown>> = {
    journal_mode: 'wal',
    synchronous: synchronousLevels[synchronous],
    fullfsync: 1,
    checkpoint_fullfsync: 1,
  };
  for (const [name, value] of Object.entries(expected)) {
    const actual = connection.pragma(name, { simple: true });
    if (actual === value) continue;
    throw new QuorateError(
      'refused-to-start',
      `${path}: SQLite does not take the setting ${name}=${String(value)} (it reports ${String(actual)}), so a power cut ` +
        'could lose acknowledged writes. Put the data directory on a local file system that supports SQLite WAL files.',
    );
  }
}

/** Runs `action`; what SQLite or the file system throws becomes a QuorateError that says what to do about `path`. */
export function explained<T>(path: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    throw toQuorateError(path, error);
  }
}

/** The error as one of ours. */
export function toQuorateError(path: string, error: unknown): QuorateError {
  if (error instanceof QuorateError) return error;
  const code = codeOf(error);
  const reason = error instanceof Error ? error.message : String(error);
  const refusal = refusals.find(([pattern]) => pattern.test(code));
  if (refusal !== undefined) {
    return new QuorateError('refused-to-start', `${path}: ${reason} (${code}). ${refusal[1]}`, { cause: error });
  }
  return new QuorateError('damaged', `${path}: ${reason} (${code}). ${damagedAdvice}`, { cause: error });
}

/** What to do with a damaged log. Never: cut it, since what is cut may have been acknowledged. */
export const damagedAdvice =
  'The log of this member cannot be trusted. Check the disk; then remove this member from the cluster and add it again ' +
  'under a new name with an empty data directory. It copies the data from the others.';

const refusals: readonly (readonly [RegExp, string])[] = [
  [
    /^(EACCES|EPERM|EROFS|SQLITE_READONLY.*|SQLITE_PERM)$/,
    'Make the data directory and its files writable for this user.',
  ],
  [/^(ENOTDIR|EEXIST|ENOENT|EISDIR|SQLITE_CANTOPEN.*)$/, 'Give a directory that can be created or written to.'],
  [/^(ENOSPC|EDQUOT|SQLITE_FULL)$/, 'Free some space on this file system, then start again.'],
  [/^(EMFILE|ENFILE)$/, 'Raise the limit of open files (ulimit -n).'],
  [/^SQLITE_BUSY.*$/, 'Another program holds the file; stop it.'],
];

function codeOf(error: unknown): string {
  const code: unknown = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : 'no code';
}
