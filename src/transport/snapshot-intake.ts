/** The receiver's side of one snapshot transfer, whatever brings the parts: their order, their sum, and the sink's protocol. */
import { assert } from '../base/assert';
import { QuorateError } from '../base/error';
import type { MemberId } from '../raft';
import type { SnapshotPart } from './snapshot-codec';
import type { SnapshotSink, TransportHandler } from './transport';
import { checkField } from './wire';

/** Opens the sink at the header, fills it, and closes it once: whatever goes wrong before `finish` ends in its `abort`. */
export class SnapshotIntake {
  readonly #handler: TransportHandler;
  readonly #from: MemberId;
  #sink: SnapshotSink | undefined;
  #sizeBytes = 0;
  #receivedBytes = 0;
  #isBusy = false;
  /** Taken, failed or broken off: nothing more is accepted. */
  #isOver = false;

  constructor(handler: TransportHandler, from: MemberId) {
    this.#handler = handler;
    this.#from = from;
  }

  /**
   * Takes the next part; resolves when there is room for another. A part that comes before that is out of order.
   *
   * @throws QuorateError `invalid-argument` for a part in the wrong place; what the handler or the sink rejected with
   */
  async take(part: SnapshotPart): Promise<void> {
    this.#refuseIfOver();
    if (this.#isBusy) {
      this.abort();
      checkField(false, 'part', 'sent when the one before was taken', 'early');
    }
    this.#isBusy = true;
    try {
      if (part.kind === 'header') await this.#open(part);
      else await this.#write(part);
    } catch (error) {
      this.#isOver = true;
      throw error;
    } finally {
      this.#isBusy = false;
      if (this.#isOver) this.#sink?.abort();
    }
    this.#refuseIfOver();
  }

  /**
   * No more parts come. Resolves when the sink has taken the snapshot.
   *
   * @throws QuorateError `invalid-argument` if something is missing; what the sink rejected with
   */
  async finish(): Promise<void> {
    this.#refuseIfOver();
    if (this.#sink === undefined || this.#isBusy || this.#receivedBytes < this.#sizeBytes) {
      this.abort();
      checkField(false, 'header.size_bytes', 'the size of what was sent', this.#sizeBytes);
    }
    assert(this.#receivedBytes === this.#sizeBytes, 'no more is written than was announced');
    this.#isOver = true;
    await this.#sink.finish();
  }

  /** The transfer broke off. Waits for the sink, if that is busy; no effect when it is over. */
  abort(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    if (!this.#isBusy) this.#sink?.abort();
  }

  async #open({ offer }: Extract<SnapshotPart, { kind: 'header' }>): Promise<void> {
    checkField(this.#sink === undefined, 'part', 'a chunk after the header', 'another header');
    this.#sizeBytes = offer.sizeBytes;
    this.#sink = await this.#handler.acceptSnapshot(this.#from, offer);
  }

  async #write({ offset, data }: Extract<SnapshotPart, { kind: 'chunk' }>): Promise<void> {
    checkField(this.#sink !== undefined, 'part', 'a header at first', 'a chunk');
    checkField(offset === this.#receivedBytes, 'chunk.offset', String(this.#receivedBytes), offset);
    const end = offset + data.length;
    checkField(end <= this.#sizeBytes, 'chunk.data', `within the ${this.#sizeBytes} bytes announced`, `up to ${end}`);
    await this.#sink.write(data);
    this.#receivedBytes = end;
  }

  #refuseIfOver(): void {
    if (this.#isOver) throw new QuorateError('unreachable', 'the snapshot transfer was broken off');
  }
}
