/** Writes messages to one gRPC stream: in order, bounded, and with the newest heartbeat never lost behind bulk data. */
import { assert } from '../base/assert';

/** The writable half of a gRPC stream of encoded messages. */
export interface ByteStream {
  /** Returns false when the stream wants no more until 'drain'; calls back once the bytes are on their way. */
  write(bytes: Buffer, onFlushed: () => void): boolean;
  on(event: 'drain', listener: () => void): unknown;
  end(): unknown;
}

/** What may wait, and what may be on its way. */
export interface StreamSenderLimits {
  readonly maxQueuedMessages: number;
  readonly maxQueuedBytes: number;
  readonly maxUnflushedBytes: number;
}

/** A heartbeat that waits for some of the queue to be written before it. */
interface WaitingHeartbeat {
  readonly bytes: Buffer;
  /** Queued messages that go first. */
  behind: number;
}

interface QueuedMessage {
  readonly bytes: Buffer;
  /** The log position the message builds on; 0 where that means nothing. */
  readonly prevLogIndex: number;
}

/**
 * Queues while there is no stream yet, and while the stream is blocked. A stream is blocked by `write() === false`, and
 * also while too much of what was written has not left yet, since nothing can overtake what the stream already holds.
 */
export class StreamSender {
  readonly #limits: StreamSenderLimits;
  readonly #queue: QueuedMessage[] = [];
  #queuedBytes = 0;
  #heartbeat: WaitingHeartbeat | undefined;
  #stream: ByteStream | undefined;
  #isWaitingForDrain = false;
  #unflushedBytes = 0;
  #isEnding = false;

  constructor(limits: StreamSenderLimits) {
    this.#limits = limits;
  }

  get queuedMessages(): number {
    return this.#queue.length + (this.#heartbeat === undefined ? 0 : 1);
  }

  get queuedBytes(): number {
    return this.#queuedBytes + (this.#heartbeat?.bytes.length ?? 0);
  }

  /** From now on messages go to this stream, those that wait first. Called once. */
  open(stream: ByteStream): void {
    assert(this.#stream === undefined, 'a sender is opened once');
    this.#stream = stream;
    stream.on('drain', () => {
      this.#isWaitingForDrain = false;
      this.#pump();
    });
    this.#pump();
  }

  /** True while `send` would drop. The bound may be passed by one message, so that it need not be encoded to be dropped. */
  get isFull(): boolean {
    return this.#queue.length >= this.#limits.maxQueuedMessages || this.#queuedBytes >= this.#limits.maxQueuedBytes;
  }

  /** @returns false if the message was dropped because too much is waiting */
  send(bytes: Buffer, prevLogIndex = 0): boolean {
    if (this.isFull) return false;
    this.#queue.push({ bytes, prevLogIndex });
    this.#queuedBytes += bytes.length;
    this.#pump();
    return true;
  }

  /**
   * Sends a message that makes any earlier one of its sort pointless: at most one waits, the newest. It overtakes queued
   * messages unless it builds on them: a heartbeat about entries that the receiver does not have yet would be refused.
   */
  sendNewest(bytes: Buffer, prevLogIndex = 0): void {
    const [first] = this.#queue;
    const mayOvertake = first === undefined || prevLogIndex <= first.prevLogIndex;
    this.#heartbeat = { bytes, behind: mayOvertake ? 0 : this.#queue.length };
    this.#pump();
  }

  /** Ends the stream after what waits. Nothing may be sent after this. */
  end(): void {
    this.#isEnding = true;
    this.#pump();
  }

  #pump(): void {
    const stream = this.#stream;
    if (stream === undefined) return;
    while (!this.#isBlocked()) {
      const bytes = this.#next();
      if (bytes === undefined) {
        this.#endIfDue(stream);
        return;
      }
      this.#unflushedBytes += bytes.length;
      const wantsMore = stream.write(bytes, () => {
        this.#unflushedBytes -= bytes.length;
        this.#pump();
      });
      if (!wantsMore) this.#isWaitingForDrain = true;
    }
  }

  #endIfDue(stream: ByteStream): void {
    if (!this.#isEnding) return;
    this.#isEnding = false;
    stream.end();
  }

  #isBlocked(): boolean {
    return this.#isWaitingForDrain || this.#unflushedBytes >= this.#limits.maxUnflushedBytes;
  }

  #next(): Buffer | undefined {
    const heartbeat = this.#heartbeat;
    if (heartbeat?.behind === 0) {
      this.#heartbeat = undefined;
      return heartbeat.bytes;
    }
    const message = this.#queue.shift();
    if (message === undefined) return undefined;
    if (heartbeat !== undefined) heartbeat.behind--;
    this.#queuedBytes -= message.bytes.length;
    return message.bytes;
  }
}
