/** Builders for entries, persists and the storages under test. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger } from '../../src/base/logger';
import {
  encodeConfiguration,
  type ConfigurationAt,
  type ConfigurationPayload,
  type Entry,
  type Persist,
  type SnapshotDescription,
} from '../../src/raft';
import { openMemoryStorage, MemoryDisk } from '../../src/storage/memory-storage';
import { openSqliteStorage, type SqliteStorageOptions } from '../../src/storage/sqlite-storage';
import type { Identity, Storage } from '../../src/storage/storage';

export const identity: Identity = { clusterId: 0xfedcba9876543210n, memberId: 0x8000000000000001n };
export const initialConfiguration: ConfigurationPayload = {
  configuration: {
    voters: [2n, 3n, 0x8000000000000001n],
    outgoing: [],
    learners: [9n],
    learnersNext: [],
    autoLeave: false,
    removed: [],
  },
  context: new Uint8Array([1, 2, 3]),
};

/** A joint configuration with a context, as the entry `index` would bring it. */
export function configurationAt(index: number, voter = 7n): ConfigurationAt {
  const configuration = {
    voters: [1n, voter],
    outgoing: [2n],
    learners: [],
    learnersNext: [2n],
    removed: [],
    autoLeave: true,
  };
  return { index, configuration, context: new Uint8Array(Buffer.from(`addresses ${index}`)) };
}

export function configurationEntry(index: number, term = 1, voter = 7n): Entry {
  return { index, term, kind: 'configuration', payload: encodeConfiguration(configurationAt(index, voter)) };
}

export function entry(index: number, term = 1, text = `payload ${index}`): Entry {
  return { index, term, kind: 'command', payload: Buffer.from(text) };
}

export function entries(firstIndex: number, lastIndex: number, term = 1): Entry[] {
  return Array.from({ length: lastIndex - firstIndex + 1 }, (_, offset) => entry(firstIndex + offset, term));
}

/** A snapshot that stands for everything up to `index`. */
export function snapshotAt(index: number, term = 1): SnapshotDescription {
  return { last: { index, term }, configuration: configurationAt(Math.max(0, index - 1)) };
}

type MakePersist = (
  entries: readonly Entry[],
  hardState?: Persist['hardState'],
  snapshot?: SnapshotDescription,
) => Persist;

/** Makes `Persist`s with growing sequence numbers. What is of a new term comes with that term as hard state. */
export function persister(): MakePersist {
  let sequence = 0;
  let term = 0;
  return (persisted, hardState, snapshot) => {
    const newest = Math.max(snapshot?.last.term ?? 0, ...persisted.map((one) => one.term));
    const implied = hardState ?? (newest > term ? { term: newest, votedFor: undefined } : undefined);
    term = implied?.term ?? term;
    return { sequence: ++sequence, hardState: implied, snapshot, entries: persisted };
  };
}

/** Entries in a form that compares by content. */
export function plain(list: readonly Entry[]): unknown[] {
  return list.map(({ index, term, kind, payload }) => ({
    index,
    term,
    kind,
    payload: Buffer.from(payload).toString('hex'),
  }));
}

/** Directories that vanish after the test. */
export function temporaryDirectories(): { make: () => string; removeAll: () => void } {
  const made: string[] = [];
  return {
    make: () => {
      const directory = mkdtempSync(join(tmpdir(), 'quorate-storage-'));
      made.push(directory);
      return directory;
    },
    removeAll: () => {
      for (const directory of made.splice(0)) rmSync(directory, { recursive: true, force: true });
    },
  };
}

export function sqliteOptions(directory: string, more: Partial<SqliteStorageOptions> = {}): SqliteStorageOptions {
  return { directory, identity, initialConfiguration, maxTailBytes: 1 << 20, logger: silentLogger, ...more };
}

/** One medium that storages can be opened on, one after the other. */
export interface Medium {
  open(more?: {
    readonly maxTailBytes?: number;
    readonly identity?: Identity;
    readonly initialConfiguration?: ConfigurationPayload;
  }): Promise<Storage>;
}

export interface Implementation {
  readonly name: string;
  readonly medium: () => Medium;
  readonly cleanUp: () => void;
}

export function implementations(): readonly Implementation[] {
  const directories = temporaryDirectories();
  const memory = (name: string, schedule?: (complete: () => void) => void): Implementation => ({
    name,
    medium: () => {
      const disk = new MemoryDisk();
      const fixed = schedule === undefined ? { disk } : { disk, schedule };
      return {
        open: async (more = {}) =>
          Promise.resolve().then(() =>
            openMemoryStorage({ ...fixed, identity, initialConfiguration, maxTailBytes: 1 << 20, ...more }),
          ),
      };
    },
    cleanUp: () => undefined,
  });
  return [
    memory('memory, completing at once'),
    memory(
      'memory, completing later',
      (complete) =>
        void Promise.resolve()
          .then(() => Promise.resolve())
          .then(complete),
    ),
    {
      name: 'sqlite',
      medium: () => {
        const directory = directories.make();
        return { open: (more = {}) => openSqliteStorage(sqliteOptions(directory, more)) };
      },
      cleanUp: directories.removeAll,
    },
  ];
}
