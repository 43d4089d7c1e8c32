/** Takes in a snapshot into a file, which is kept only if it is whole. */
import { open, rm, type FileHandle } from 'node:fs/promises';
import { assert } from '../base/assert';
import { QuorateError } from '../base/error';
import type { SnapshotOffer, SnapshotReceiver } from '../raft';
import { ReceivedBytes } from './received-bytes';
import { receiverSuperseded, snapshotFailed } from './snapshot-failure';

/** Checks the whole file and makes it durable under another name, which it returns. */
type Keep = (path: string) => Promise<string>;

export class FileReceiver implements SnapshotReceiver {
  readonly #path: string;
  readonly #keep: Keep;
  readonly #bytes: ReceivedBytes;
  #handle: FileHandle | undefined;
  /** The call under way, or the last one. */
  #busy: Promise<unknown> = Promise.resolve();
  #isBusy = false;
  #phase: 'receiving' | 'finished' | 'ended' = 'receiving';
  #received: string | undefined;

  constructor(offer: SnapshotOffer, path: string, keep: Keep) {
    this.#path = path;
    this.#keep = keep;
    this.#bytes = new ReceivedBytes(offer);
  }

  /** Once, before the first bytes. */
  async open(): Promise<void> {
    await this.#do(async () => {
      this.#handle = await open(this.#path, 'wx', 0o600);
    });
  }

  write(bytes: Uint8Array): Promise<void> {
    return this.#do(async () => {
      const at = this.#bytes.count;
      this.#bytes.add(bytes);
      for (let written = 0; written < bytes.length;) {
        const { bytesWritten } = await this.#file.write(bytes, written, bytes.length - written, at + written);
        written += bytesWritten;
      }
    });
  }

  finish(): Promise<void> {
    return this.#do(async () => {
      this.#bytes.check();
      await this.#closeFile();
      this.#received = await this.#keep(this.#path);
      if (this.#phase === 'receiving') this.#phase = 'finished';
    });
  }

  async discard(): Promise<void> {
    await this.supersede();
    if (this.#received !== undefined) await rm(this.#received, { force: true });
    this.#received = undefined;
  }

  /** Ends it, once the call under way is over. What was finished stays: it may be about to be installed. */
  async supersede(): Promise<void> {
    this.#phase = 'ended';
    await this.#busy;
    await this.#clear();
  }

  get #file(): FileHandle {
    assert(this.#handle !== undefined, 'the file is open while bytes come');
    return this.#handle;
  }

  async #do(work: () => Promise<void>): Promise<void> {
    if (this.#phase !== 'receiving') throw receiverSuperseded();
    assert(!this.#isBusy, 'the calls of a receiver come one after the other');
    this.#isBusy = true;
    const done = work();
    this.#busy = done.catch(() => undefined);
    try {
      await done;
    } catch (error) {
      this.#phase = 'ended';
      await this.#clear();
      throw error instanceof QuorateError ? error : snapshotFailed('a snapshot could not be taken in', error);
    } finally {
      this.#isBusy = false;
    }
  }

  async #clear(): Promise<void> {
    await this.#closeFile();
    await rm(this.#path, { force: true });
  }

  async #closeFile(): Promise<void> {
    const handle = this.#handle;
    this.#handle = undefined;
    await handle?.close();
  }
}
