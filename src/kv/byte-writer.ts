/** Writes numbers and byte strings one after the other, in the forms that `ByteReader` reads. */
import { assert } from '../base/assert';

/** Writes into one buffer, which grows as needed. */
export class ByteWriter {
  #buffer: Buffer;
  #length = 0;

  /** @param capacity how many bytes are expected; more are possible, and cost a copy */
  constructor(capacity: number) {
    this.#buffer = Buffer.allocUnsafe(capacity);
  }

  /** How many bytes were written. */
  get length(): number {
    return this.#length;
  }

  byte(value: number): void {
    this.#reserve(1);
    this.#buffer[this.#length++] = value;
  }

  bool(value: boolean): void {
    this.byte(value ? 1 : 0);
  }

  /** A safe integer from 0 on, 7 bits a byte, lowest first; the top bit says that more follow. */
  varint(value: number): void {
    assert(Number.isSafeInteger(value) && value >= 0, 'a number to be written is a safe integer and not negative');
    this.#reserve(maxVarintBytes);
    let rest = value;
    // Bit operations hold 32 bits; what is above takes the slow way.
    while (rest >= 2 ** 31) {
      this.#buffer[this.#length++] = (rest % 0x80) | 0x80;
      rest = Math.floor(rest / 0x80);
    }
    while (rest >= 0x80) {
      this.#buffer[this.#length++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    this.#buffer[this.#length++] = rest;
  }

  /** Signed 64 bits, little-endian. */
  int64(value: bigint): void {
    this.#reserve(8);
    this.#length = this.#buffer.writeBigInt64LE(value, this.#length);
  }

  /** Unsigned 64 bits, little-endian. */
  uint64(value: bigint): void {
    this.#reserve(8);
    this.#length = this.#buffer.writeBigUInt64LE(value, this.#length);
  }

  /** The length, then the bytes. */
  bytes(value: Uint8Array): void {
    this.varint(value.length);
    this.raw(value);
  }

  /** The bytes alone; the reader knows how many. */
  raw(value: Uint8Array): void {
    this.#reserve(value.length);
    this.#buffer.set(value, this.#length);
    this.#length += value.length;
  }

  /** What was written: a view, which nothing changes any more unless more is written. */
  finish(): Buffer {
    return this.#buffer.subarray(0, this.#length);
  }

  #reserve(more: number): void {
    if (this.#length + more <= this.#buffer.length) return;
    const larger = Buffer.allocUnsafe(Math.max(2 * this.#buffer.length, this.#length + more));
    larger.set(this.finish());
    this.#buffer = larger;
  }
}

/** How many bytes `varint` writes for a number. */
export function varintLength(value: number): number {
  let length = 1;
  for (let rest = value; rest >= 0x80; rest /= 0x80) length++;
  return length;
}

/** A safe integer has 53 bits. */
export const maxVarintBytes = 8;
