/** The files of a data directory: how they come into being so that a power cut right after leaves all or nothing. */
import {
  accessSync,
  closeSync,
  constants,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { QuorateError } from '../base/error';
import type { ConfigurationPayload } from '../raft';
import { damagedAdvice, explained, openConnection } from './sqlite-connection';
import { insertFacts } from './sqlite-log-facts';
import { applicationId, migrate } from './sqlite-schema';
import type { Identity } from './storage';

/** The log's database and the files SQLite keeps beside it. */
export function logFiles(directory: string): readonly string[] {
  return ['', '-wal', '-shm'].map((suffix) => logPath(directory) + suffix);
}

export function logPath(directory: string): string {
  return join(directory, 'raft.db');
}

/**
 * Makes the directory, with what is missing above it, for this user only; durable on return.
 *
 * @throws QuorateError `refused-to-start` when that is impossible, or an existing one is not writable
 */
export function prepareDirectory(directory: string): void {
  explained(directory, () => {
    const path = resolve(directory);
    const firstCreated = mkdirSync(path, { recursive: true, mode: 0o700 });
    accessSync(path, constants.R_OK | constants.W_OK | constants.X_OK);
    if (firstCreated === undefined) return;
    for (let made = path; made !== dirname(firstCreated); made = dirname(made)) syncDirectory(dirname(made));
  });
}

/**
 * Makes a new log unless there is one; durable on return. It is built under another name and then renamed: a file that
 * is called raft.db was complete once, so one that is empty or has no tables is damaged, not new.
 *
 * @throws QuorateError `damaged` when the directory was used before and its log is gone
 */
export function createLogIfMissing(directory: string, identity: Identity, initial: ConfigurationPayload): boolean {
  const path = logPath(directory);
  return explained(path, () => {
    if (existsSync(path)) {
      accessSync(path, constants.R_OK | constants.W_OK);
      return false;
    }
    refuseRemains(directory);
    const building = `${path}.new`;
    for (const suffix of ['', '-wal', '-shm', '-journal']) rmSync(building + suffix, { force: true });
    const connection = openConnection(building, 'FULL');
    try {
      connection.pragma(`application_id = ${applicationId}`);
      migrate(connection);
      connection.transaction(() => {
        insertFacts(connection, identity, initial);
      })();
    } finally {
      connection.close();
    }
    syncFile(building);
    renameSync(building, path);
    syncDirectory(directory);
    return true;
  });
}

/** Makes the names in a directory durable: a new file is not, however often its content is synced. */
export function syncDirectory(directory: string): void {
  syncFile(directory);
}

function syncFile(path: string): void {
  const descriptor = openSync(path, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/**
 * A member that starts again with an empty log could vote twice in a term; what it acknowledged would be gone.
 *
 * @throws QuorateError `damaged` for a directory without a log that was used before
 */
export function refuseRemains(directory: string): void {
  for (const name of ['state.db', 'raft.db-wal', 'raft.witness']) {
    if (!existsSync(join(directory, name))) continue;
    throw new QuorateError(
      'damaged',
      `${directory} was used before (${name} is there), but raft.db is missing. ${damagedAdvice}`,
    );
  }
}
