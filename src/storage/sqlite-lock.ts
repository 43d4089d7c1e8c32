/** Sees to it that a data directory is open once: in one process, and there once. */
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { QuorateError } from '../base/error';
import { explained } from './sqlite-connection';

/** A directory that is ours until released, or until the process ends, however it ends. */
export interface DirectoryLock {
  release(): void;
}

/**
 * Takes the lock, or refuses at once.
 *
 * Node offers no file locks, SQLite does: an exclusive transaction on a small database of its own, open as long as the
 * directory is in use. The system drops such a lock when the process dies, so nothing is left over after kill -9; and
 * SQLite itself keeps a second connection of the same process out.
 *
 * @throws QuorateError `refused-to-start` when the directory is in use or cannot be written to
 */
export function lockDirectory(directory: string): DirectoryLock {
  const path = join(directory, 'lock.db');
  return explained(path, () => {
    const connection = new Database(path, { timeout: 0 });
    try {
      connection.pragma('journal_mode = DELETE');
      connection.exec('BEGIN EXCLUSIVE');
    } catch (error) {
      connection.close();
      throw isBusy(error) ? inUse(directory, error) : error;
    }
    // Closing ends the transaction, and a second time does nothing.
    return { release: () => void connection.close() };
  });
}

function isBusy(error: unknown): boolean {
  return error instanceof Database.SqliteError && error.code.startsWith('SQLITE_BUSY');
}

function inUse(directory: string, cause: unknown): QuorateError {
  return new QuorateError(
    'refused-to-start',
    `the data directory ${directory} is in use by a running member. Stop that one first, or give this member a ` +
      '--data-dir of its own.',
    { cause },
  );
}
