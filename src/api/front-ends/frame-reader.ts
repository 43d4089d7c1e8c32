/** Cuts a stream of bytes into frames, however it arrives. */
import { assert } from '../../base/assert';

/** A frame is preceded by: bytes of its payload, kind, number of the call. */
export const headerBytes = 4 + 1 + 4;

/** Told of each frame; the payload is a part of what arrived, and may be kept. */
export type OnFrame = (kind: number, id: number, payload: Buffer) => void;

export class FrameReader {
  readonly #maxPayloadBytes: number;
  readonly #onFrame: OnFrame;
  /** The beginning of a frame whose end has not arrived. It is put together once, when it is complete. */
  #chunks: Buffer[] = [];
  #heldBytes = 0;
  /** What must be there before anything can be done with it. */
  #neededBytes = headerBytes;

  constructor(maxPayloadBytes: number, onFrame: OnFrame) {
    this.#maxPayloadBytes = maxPayloadBytes;
    this.#onFrame = onFrame;
  }

  /** @throws AssertionError for what cannot be a frame */
  take(chunk: Buffer): void {
    if (this.#heldBytes === 0) {
      this.#cut(chunk);
      return;
    }
    this.#chunks.push(chunk);
    this.#heldBytes += chunk.length;
    if (this.#heldBytes < this.#neededBytes) return;
    const bytes = Buffer.concat(this.#chunks, this.#heldBytes);
    this.#chunks = [];
    this.#heldBytes = 0;
    this.#cut(bytes);
  }

  #cut(bytes: Buffer): void {
    let at = 0;
    let needed = headerBytes;
    while (bytes.length - at >= headerBytes) {
      const size = bytes.readUInt32LE(at);
      assert(size <= this.#maxPayloadBytes, 'a frame is no larger than what it may carry');
      needed = headerBytes + size;
      if (bytes.length - at < needed) break;
      const payloadAt = at + headerBytes;
      at += needed;
      needed = headerBytes;
      this.#onFrame(bytes.readUInt8(payloadAt - 5), bytes.readUInt32LE(payloadAt - 4), bytes.subarray(payloadAt, at));
    }
    if (at === bytes.length) return;
    this.#chunks = [bytes.subarray(at)];
    this.#heldBytes = bytes.length - at;
    this.#neededBytes = needed;
  }
}

/** The same bytes, alone in their memory if that is much larger: to be kept for long. */
export function owned(bytes: Buffer): Buffer {
  return bytes.length * 2 < bytes.buffer.byteLength ? Buffer.from(bytes) : bytes;
}
