/** Snapshot transfers between members in one process: each step is a packet, and any of them may be the last. */
import { assert } from '../base/assert';
import { deferred, type Deferred } from '../base/deferred';
import { QuorateError } from '../base/error';
import type { MemberId } from '../raft';
import type { SnapshotPart } from './snapshot-codec';
import { callErrorOf, checkRead, readErrorOf, transferErrorOf } from './snapshot-errors';
import { SnapshotIntake } from './snapshot-intake';
import type { OutgoingSnapshot, TransportHandler } from './transport';

/** One step of a transfer: a part and its acknowledgement take turns, then the end and the last acknowledgement. */
export interface SnapshotMessage {
  readonly kind: 'snapshot';
  readonly transfer: number;
  /** Counts the steps of the sender. */
  readonly sequence: number;
  readonly step: SnapshotPart | { readonly kind: 'end' } | { readonly kind: 'taken' };
}

/** A step on its way. */
export interface SnapshotPacket {
  readonly from: MemberId;
  readonly to: MemberId;
  readonly message: SnapshotMessage;
}

/** Both ends of one transfer. */
interface Transfer {
  readonly id: number;
  readonly from: MemberId;
  readonly to: MemberId;
  readonly snapshot: OutgoingSnapshot;
  readonly outcome: Deferred<void>;
  /** Bytes handed out so far. */
  sentBytes: number;
  /** The sender's step that is not acknowledged yet. */
  sequence: number;
  hasSentEnd: boolean;
  intake: SnapshotIntake | undefined;
}

/**
 * Like a stream of the real transport, a transfer has no gaps: losing one of its packets breaks it off at both ends at
 * once. A packet that comes twice or too early is refused by the receiver, or was answered long ago and is ignored.
 * No timers: what is neither delivered nor dropped waits for ever.
 */
export class MemorySnapshots {
  readonly #post: (packet: SnapshotPacket) => void;
  readonly #chunkBytes: number;
  readonly #transfers = new Map<number, Transfer>();
  #nextId = 1;

  /** @param post puts a packet on its way */
  constructor(post: (packet: SnapshotPacket) => void, chunkBytes: number) {
    assert(chunkBytes >= 1, 'a chunk holds something');
    this.#post = post;
    this.#chunkBytes = chunkBytes;
  }

  /** Begins a transfer. Rejects as `Transport.sendSnapshot` does. */
  send(from: MemberId, to: MemberId, snapshot: OutgoingSnapshot): Promise<void> {
    if ([...this.#transfers.values()].some((running) => running.from === from && running.to === to)) {
      return Promise.reject(new QuorateError('overloaded', 'a snapshot is being sent to this peer already'));
    }
    const id = this.#nextId++;
    const outcome = deferred<void>();
    const begun = { sentBytes: 0, sequence: 0, hasSentEnd: false, intake: undefined };
    const transfer = { id, from, to, snapshot, outcome, ...begun };
    this.#transfers.set(id, transfer);
    const { term, description, sizeBytes, sha256 } = snapshot;
    this.#step(transfer, { kind: 'header', offer: { term, description, sizeBytes, sha256 } });
    return outcome.promise;
  }

  /** A packet arrives at a member that listens. */
  deliver({ message, to }: SnapshotPacket, handler: TransportHandler): void {
    const transfer = this.#transfers.get(message.transfer);
    if (transfer === undefined) return;
    const { step, sequence } = message;
    if (step.kind !== 'taken') {
      assert(to === transfer.to, 'a part goes to the receiver');
      void this.#take(transfer, message, handler); // Ends the transfer if it fails.
    } else if (sequence === transfer.sequence) {
      void this.#goOn(transfer);
    }
  }

  /** Breaks off all transfers that `isLost` holds for. */
  breakOff(isLost: (transfer: Pick<Transfer, 'id' | 'from' | 'to'>) => boolean, error: QuorateError): void {
    for (const transfer of [...this.#transfers.values()]) if (isLost(transfer)) this.#end(transfer, error);
  }

  async #take(transfer: Transfer, { step, sequence }: SnapshotMessage, handler: TransportHandler): Promise<void> {
    transfer.intake ??= new SnapshotIntake(handler, transfer.from);
    try {
      if (step.kind === 'end') await transfer.intake.finish();
      else if (step.kind !== 'taken') await transfer.intake.take(step);
    } catch (error) {
      this.#end(transfer, transferErrorOf(callErrorOf(error)));
      return;
    }
    this.#acknowledge(transfer, sequence);
  }

  #acknowledge({ id, from, to }: Transfer, sequence: number): void {
    if (!this.#transfers.has(id)) return;
    const message = { kind: 'snapshot', transfer: id, sequence, step: { kind: 'taken' } } as const;
    this.#post({ from: to, to: from, message });
  }

  /** The receiver has taken everything so far: the next chunk, the end, or success. */
  async #goOn(transfer: Transfer): Promise<void> {
    // A second acknowledgement of the same step says nothing.
    transfer.sequence++;
    if (transfer.hasSentEnd) {
      this.#transfers.delete(transfer.id);
      transfer.outcome.resolve();
    } else if (transfer.sentBytes === transfer.snapshot.sizeBytes) {
      transfer.hasSentEnd = true;
      this.#step(transfer, { kind: 'end' });
    } else {
      await this.#sendChunk(transfer);
    }
  }

  async #sendChunk(transfer: Transfer): Promise<void> {
    const { snapshot, sentBytes: offset } = transfer;
    const maxBytes = Math.min(snapshot.sizeBytes - offset, this.#chunkBytes);
    try {
      const data = await snapshot.read(offset, maxBytes);
      if (!this.#transfers.has(transfer.id)) return;
      checkRead(data, offset, maxBytes);
      transfer.sentBytes += data.length;
      this.#step(transfer, { kind: 'chunk', offset, data });
    } catch (error) {
      this.#end(transfer, readErrorOf(error));
    }
  }

  #step({ id, from, to, sequence }: Transfer, step: SnapshotMessage['step']): void {
    this.#post({ from, to, message: { kind: 'snapshot', transfer: id, sequence, step } });
  }

  #end(transfer: Transfer, error: QuorateError): void {
    if (!this.#transfers.delete(transfer.id)) return;
    transfer.outcome.reject(error);
    transfer.intake?.abort();
  }
}
