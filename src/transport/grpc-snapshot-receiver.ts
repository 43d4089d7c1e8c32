/** The snapshots that peers send to this member: one at a time from each, read no faster than they are taken. */
import type { sendUnaryData, ServerReadableStream } from '@grpc/grpc-js';
import { QuorateError } from '../base/error';
import type { MemberId } from '../raft';
import { PacedReader } from './paced-reader';
import { decodeSnapshotPart } from './snapshot-codec';
import { callErrorOf } from './snapshot-errors';
import { SnapshotIntake } from './snapshot-intake';
import type { TransportHandler } from './transport';

const received = Buffer.alloc(0);

/** What bounds them. */
export interface SnapshotReceiverLimits {
  readonly maxIncomingSnapshots: number;
  readonly snapshotStallTimeoutMs: number;
}

interface RunningTransfer {
  readonly reader: PacedReader;
  /** Settles when its sink will be called no more. Never rejects. */
  readonly ended: Promise<void>;
}

/** Feeds each transfer to a `SnapshotIntake`, and answers with what became of it. */
export class GrpcSnapshotReceiver {
  readonly #handler: TransportHandler;
  readonly #limits: SnapshotReceiverLimits;
  /** Told of every transfer that failed on this side. */
  readonly #onFailed: (from: MemberId, reason: string) => void;
  readonly #running = new Map<MemberId, RunningTransfer>();

  constructor(
    handler: TransportHandler,
    limits: SnapshotReceiverLimits,
    onFailed: (from: MemberId, reason: string) => void,
  ) {
    this.#handler = handler;
    this.#limits = limits;
    this.#onFailed = onFailed;
  }

  /** Takes a call that was let in, and answers it. */
  receive(from: MemberId, stream: ServerReadableStream<Buffer, Buffer>, answer: sendUnaryData<Buffer>): void {
    const older = this.#running.get(from);
    if (older === undefined && this.#running.size >= this.#limits.maxIncomingSnapshots) {
      answer(callErrorOf(new QuorateError('overloaded', 'this member is taking other snapshots')));
      return;
    }
    older?.reader.fail(new QuorateError('superseded', 'the peer began a newer transfer'));
    const reader = new PacedReader(stream, this.#limits.snapshotStallTimeoutMs);
    const ended = this.#run(from, reader, older?.ended).then(
      () => {
        answer(null, received);
      },
      (error: unknown) => {
        const callError = callErrorOf(error);
        this.#onFailed(from, callError.details);
        answer(callError);
      },
    );
    const transfer = { reader, ended };
    this.#running.set(from, transfer);
    void ended.then(() => {
      if (this.#running.get(from) === transfer) this.#running.delete(from);
    });
  }

  /** Breaks off what is running. */
  stop(): void {
    for (const { reader } of this.#running.values()) {
      reader.fail(new QuorateError('stopping', 'this member is stopping'));
    }
  }

  async #run(from: MemberId, reader: PacedReader, older: Promise<void> | undefined): Promise<void> {
    await older;
    const intake = new SnapshotIntake(this.#handler, from);
    try {
      for (let bytes = await reader.next(); bytes !== undefined; bytes = await reader.next()) {
        await intake.take(decodeSnapshotPart(bytes, from));
      }
      await intake.finish();
    } finally {
      intake.abort();
    }
  }
}
