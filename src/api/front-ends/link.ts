/** One end of the stream of frames between a front end and its member. What one turn of the event loop says is one write. */
import type { Duplex } from 'node:stream';
import { FrameReader, headerBytes, type OnFrame } from './frame-reader';

/** Frames are gathered in memory of this size, bytes. */
const poolBytes = 64 * 1024;

/** Payloads beyond this are sent from where they are, bytes: to copy them would cost more than a piece more in the write. */
const largeBytes = 16 * 1024;

/** How a link is made. */
export interface LinkOptions {
  readonly socket: Duplex;
  /** The largest payload the other end may send. */
  readonly maxPayloadBytes: number;
  readonly onFrame: OnFrame;
  /** What the other end sent is not what it should be, or made our own code fail. The link is closed. */
  onBroken(error: unknown): void;
  /** Nothing comes any more, for whatever reason. */
  onClosed(): void;
}

/** A frame without its payload. */
export interface FrameHead {
  readonly kind: number;
  readonly id: number;
  /** How much of the payload the caller writes into the pool. */
  readonly headBytes: number;
}

export class Link {
  readonly #socket: Duplex;
  #pool = Buffer.allocUnsafe(poolBytes);
  /** Of the pool: what is in `#pieces` already, and what is used. */
  #sealed = 0;
  #used = 0;
  /** What goes out at the end of this turn. */
  #pieces: Uint8Array[] = [];
  #gatheredBytes = 0;
  #isScheduled = false;

  constructor(options: LinkOptions) {
    this.#socket = options.socket;
    const reader = new FrameReader(options.maxPayloadBytes, options.onFrame);
    options.socket.on('data', (chunk: Buffer) => {
      try {
        reader.take(chunk);
      } catch (error) {
        this.destroy();
        options.onBroken(error);
      }
    });
    // Its end follows, and says enough.
    options.socket.on('error', () => undefined);
    options.socket.once('close', () => {
      options.onClosed();
    });
  }

  /** Where the first bytes of a payload are written. Another one after each `begin`. */
  get pool(): Buffer {
    return this.#pool;
  }

  /** What was said and is not on its way yet. */
  get unsentBytes(): number {
    return this.#gatheredBytes + this.#socket.writableLength;
  }

  send(kind: number, id: number, payload: Uint8Array): void {
    this.begin({ kind, id, headBytes: 0 }, payload);
  }

  /**
   * Says a frame.
   *
   * @param rest the end of the payload; not to be changed any more
   * @returns where in `pool` its first `headBytes` go, to be written at once
   */
  begin({ kind, id, headBytes }: FrameHead, rest: Uint8Array): number {
    const isLarge = rest.length > largeBytes;
    const start = headerBytes + headBytes;
    const at = this.#reserve(isLarge ? start : start + rest.length);
    this.#pool.writeUInt32LE(headBytes + rest.length, at);
    this.#pool.writeUInt8(kind, at + 4);
    this.#pool.writeUInt32LE(id, at + 5);
    if (isLarge) {
      this.#seal();
      this.#pieces.push(rest);
      this.#gatheredBytes += rest.length;
    } else this.#pool.set(rest, at + start);
    return at + headerBytes;
  }

  /** At once; what was not sent is lost. */
  destroy(): void {
    this.#socket.destroy();
  }

  #reserve(bytes: number): number {
    if (this.#used + bytes > this.#pool.length) {
      this.#seal();
      this.#pool = Buffer.allocUnsafe(Math.max(poolBytes, bytes));
      this.#used = this.#sealed = 0;
    }
    const at = this.#used;
    this.#used += bytes;
    this.#gatheredBytes += bytes;
    if (!this.#isScheduled) {
      this.#isScheduled = true;
      setImmediate(this.#flush);
    }
    return at;
  }

  /** What the pool holds becomes a piece: the memory is shared, so it may still be written until the turn ends. */
  #seal(): void {
    if (this.#used > this.#sealed) this.#pieces.push(this.#pool.subarray(this.#sealed, this.#used));
    this.#sealed = this.#used;
  }

  readonly #flush = (): void => {
    this.#isScheduled = false;
    this.#seal();
    const pieces = this.#pieces;
    this.#pieces = [];
    this.#gatheredBytes = 0;
    if (!this.#socket.writable) return;
    this.#socket.cork();
    for (const piece of pieces) this.#socket.write(piece);
    this.#socket.uncork();
  };
}
