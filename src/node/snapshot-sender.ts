/** Sends the state to members that lack more than the log still holds (§7). */
import { assert, required } from '../base/assert';
import type { Scheduler } from '../base/clock';
import { QuorateError } from '../base/error';
import type { Logger } from '../base/logger';
import type { MemberId, Snapshot, StateMachine } from '../raft';
import type { Transport } from '../transport/transport';
import type { Driver } from './driver';

/** What the sender works with. */
export interface SnapshotSenderParts {
  readonly stateMachine: Pick<StateMachine<unknown>, 'takeSnapshot'>;
  readonly transport: Pick<Transport, 'sendSnapshot'>;
  readonly scheduler: Scheduler;
  readonly logger: Logger;
  /** How long to wait before a member is sent another snapshot after one that did not arrive, ms. */
  readonly retryMs: number;
  readonly driver: Pick<Driver<unknown>, 'appliedIndex' | 'post' | 'snapshotAt' | 'status'>;
}

/** One copy of the state, for all that need one at the same time. */
interface SharedCopy {
  readonly snapshot: Snapshot;
  users: number;
}

/** One transfer per member at a time; members that wait at the same time share one copy. */
export class SnapshotSender {
  readonly #parts: SnapshotSenderParts;
  readonly #sending = new Set<MemberId>();
  #copy: SharedCopy | undefined;
  #taking: { readonly after: number; readonly done: Promise<SharedCopy> } | undefined;

  constructor(parts: SnapshotSenderParts) {
    this.#parts = parts;
  }

  /** The log after this index is needed by a transfer under way; `Infinity` if there is none. */
  get neededAfter(): number {
    return Math.min(this.#copy?.snapshot.last.index ?? Infinity, this.#taking?.after ?? Infinity);
  }

  /** Sends a snapshot to `peer`; the core is told of the end by `snapshot-sent`. */
  send(peer: MemberId): void {
    // A transfer of an earlier term may still run: its end is what this one waits for.
    if (this.#sending.has(peer)) return;
    this.#sending.add(peer);
    void this.#transfer(peer).then((lastIndex) => {
      this.#sending.delete(peer);
      this.#parts.driver.post({
        kind: 'snapshot-sent',
        peer,
        lastIndex: lastIndex ?? 0,
        delivered: lastIndex !== undefined,
      });
    });
  }

  /** The index up to which the peer now has the state; `undefined` if it did not arrive. Never rejects. */
  async #transfer(peer: MemberId): Promise<number | undefined> {
    const { logger, retryMs } = this.#parts;
    try {
      const copy = await this.#acquire();
      try {
        const { last, sizeBytes } = copy.snapshot;
        logger.info({ peer, index: last.index, sizeBytes }, 'sending a snapshot');
        await this.#sendCopy(peer, copy.snapshot);
        logger.info({ peer, index: last.index }, 'the snapshot arrived');
        return last.index;
      } finally {
        await this.#release(copy);
      }
    } catch (error) {
      if (!(error instanceof QuorateError)) throw error;
      logger.warn({ peer, reason: error.message }, 'a snapshot did not arrive');
      await this.#pause(retryMs);
      return undefined;
    }
  }

  async #sendCopy(peer: MemberId, snapshot: Snapshot): Promise<void> {
    const { transport, driver } = this.#parts;
    const { last, sizeBytes, sha256 } = snapshot;
    // Only when this member's own log was replaced meanwhile.
    if (last.index < driver.status.firstIndex - 1)
      throw new QuorateError('superseded', 'the copy is older than the log');
    await transport.sendSnapshot(peer, {
      term: driver.status.term,
      description: driver.snapshotAt(last.index),
      sizeBytes,
      sha256: Buffer.from(sha256, 'hex'),
      read: (offset, maxBytes) => snapshot.read(offset, maxBytes),
    });
  }

  /** The copy in use if it still joins the log, otherwise a new one. */
  async #acquire(): Promise<SharedCopy> {
    const { driver } = this.#parts;
    if (this.#copy === undefined) this.#taking ??= { after: driver.appliedIndex, done: this.#take() };
    const copy = this.#copy ?? (await required(this.#taking, 'a copy is being made').done);
    copy.users++;
    return copy;
  }

  async #take(): Promise<SharedCopy> {
    try {
      const copy = { snapshot: await this.#parts.stateMachine.takeSnapshot(), users: 0 };
      this.#copy = copy;
      return copy;
    } finally {
      this.#taking = undefined;
    }
  }

  async #release(copy: SharedCopy): Promise<void> {
    copy.users--;
    assert(copy.users >= 0, 'a copy is released as often as it was acquired');
    if (copy.users > 0) return;
    if (this.#copy === copy) this.#copy = undefined;
    await copy.snapshot.release();
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.#parts.scheduler.after(ms, resolve);
    });
  }
}
