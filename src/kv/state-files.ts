/** The files of the state database and of its snapshots, and how one takes the place of the other. */
import { closeSync, existsSync, fsyncSync, openSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { assert } from '../base/assert';
import type { LogPosition } from '../raft';
import { positionName } from './snapshot-failure';

// Beside state.db, in the order of a snapshot's life. Each but the last is worth nothing after a restart.
const takenPart = '.taken-';
const receivingPart = '.receiving-';
const receivedPart = '.received-';

/**
 * Bytes of a state from which on its index is worth being had from elsewhere than from its rows: below, reading them takes about
 * as long as a thread or a file of its own.
 */
export const largeStateBytes = 8 * 1024 * 1024;

/** What SQLite keeps beside a database. */
const companions = ['-wal', '-shm', '-journal'];

/** The names of files around one state.db, and what is done with them. Synchronous: each takes a few milliseconds. */
export class StateFiles {
  readonly path: string;
  #made = 0;

  constructor(path: string) {
    this.path = path;
  }

  /** A new name for a snapshot to be taken. */
  nextTaken(): string {
    return `${this.path}${takenPart}${String(++this.#made)}`;
  }

  /** A new name for a snapshot that begins to come in. */
  nextReceiving(): string {
    return `${this.path}${receivingPart}${String(++this.#made)}`;
  }

  /** Where a snapshot waits that came in completely. One name for each position: none replaces another one's. */
  receivedPath(last: LogPosition): string {
    return `${this.path}${receivedPart}${positionName(last)}`;
  }

  hasReceived(last: LogPosition): boolean {
    return existsSync(this.receivedPath(last));
  }

  /** Removes what an earlier life left unfinished, and the index that it saved: from here on that is one of the past. */
  removeOutdated(): void {
    rmSync(savedIndexPath(this.path), { force: true });
    this.#removeAll([takenPart, receivingPart]);
  }

  removeReceived(): void {
    this.#removeAll([receivedPart]);
  }

  /**
   * Puts the received snapshot in the place of state.db, which nobody has open. A crash at any moment leaves the old
   * state or the new one: what SQLite keeps beside the old file is gone for good before the new one bears its name, since
   * SQLite would play an old write-ahead log into it.
   */
  switchTo(last: LogPosition): void {
    const received = this.receivedPath(last);
    assert(existsSync(received), 'a snapshot waits to be installed');
    for (const companion of companions) rmSync(this.path + companion, { force: true });
    syncPath(dirname(this.path));
    renameSync(received, this.path);
    syncPath(dirname(this.path));
  }

  #removeAll(parts: readonly string[]): void {
    const directory = dirname(this.path);
    const prefixes = parts.map((part) => basename(this.path) + part);
    for (const name of readdirSync(directory)) {
      if (prefixes.some((prefix) => name.startsWith(prefix))) rmSync(join(directory, name), { force: true });
    }
  }
}

/** Makes a snapshot that came in completely bear the name `received`: content and name are durable on return. */
export function keepReceived(path: string, received: string): void {
  syncPath(path);
  renameSync(path, received);
  syncPath(dirname(received));
}

/** Syncs the content of a file, or the names in a directory. */
export function syncPath(path: string): void {
  const descriptor = openSync(path, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/** Where the index of a state is saved. */
export function savedIndexPath(statePath: string): string {
  return `${statePath}.index`;
}

/** 0 if that cannot be told: why not, the opening tells. After a crash most of a state may be in its write-ahead log. */
export function stateBytes(statePath: string): number {
  try {
    const sizes = ['', '-wal'].map((suffix) => statSync(statePath + suffix, { throwIfNoEntry: false })?.size ?? 0);
    return Math.max(...sizes);
  } catch {
    return 0;
  }
}
