/** A copy of the state in a file of its own. */
import { open, rm, type FileHandle } from 'node:fs/promises';
import { assert } from '../base/assert';
import type { LogPosition, Snapshot, SnapshotOffer } from '../raft';
import { snapshotFailed } from './snapshot-failure';

/** Opens a copy that is complete. The file is removed when the snapshot is released. */
export async function openFileSnapshot(path: string, offer: SnapshotOffer): Promise<Snapshot> {
  return new FileSnapshot(path, offer, await open(path, 'r'));
}

class FileSnapshot implements Snapshot {
  readonly last: LogPosition;
  readonly sizeBytes: number;
  readonly sha256: string;
  readonly #path: string;
  #handle: FileHandle | undefined;

  constructor(path: string, { last, sizeBytes, sha256 }: SnapshotOffer, handle: FileHandle) {
    this.last = last;
    this.sizeBytes = sizeBytes;
    this.sha256 = sha256;
    this.#path = path;
    this.#handle = handle;
  }

  async read(offset: number, maxBytes: number): Promise<Uint8Array> {
    assert(offset >= 0 && maxBytes > 0, 'a part of a snapshot begins within it and has bytes');
    if (this.#handle === undefined) throw snapshotFailed('the snapshot was released');
    const wanted = Math.max(0, Math.min(maxBytes, this.sizeBytes - offset));
    const buffer = Buffer.allocUnsafe(wanted);
    try {
      for (let filled = 0; filled < wanted;) {
        const { bytesRead } = await this.#handle.read(buffer, filled, wanted - filled, offset + filled);
        if (bytesRead === 0) throw new Error('it is shorter than it was');
        filled += bytesRead;
      }
    } catch (error) {
      throw snapshotFailed('a snapshot cannot be read', error);
    }
    return buffer;
  }

  async release(): Promise<void> {
    const handle = this.#handle;
    this.#handle = undefined;
    if (handle === undefined) return;
    await handle.close();
    await rm(this.#path, { force: true });
  }
}
