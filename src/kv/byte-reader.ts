/** Reads what `ByteWriter` wrote, and refuses every other form of it. */
import { maxVarintBytes } from './byte-writer';

/** What to throw when the bytes are not what they must be. */
export type Refuse = (why: string) => Error;

/** Reads from the front to the end. Byte strings are views, not copies. */
export class ByteReader {
  readonly #buffer: Buffer;
  readonly #refuse: Refuse;
  #at = 0;

  constructor(bytes: Uint8Array, refuse: Refuse) {
    this.#buffer = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#refuse = refuse;
  }

  /** Where the next read begins. */
  get position(): number {
    return this.#at;
  }

  get isAtEnd(): boolean {
    return this.#at === this.#buffer.length;
  }

  /** What was read from a position on. */
  since(position: number): Buffer {
    return this.#buffer.subarray(position, this.#at);
  }

  byte(what: string): number {
    const value = this.#buffer[this.#at];
    if (value === undefined) throw this.#refuse(`it ends before its ${what}`);
    this.#at += 1;
    return value;
  }

  bool(what: string): boolean {
    const value = this.byte(what);
    if (value > 1) throw this.#refuse(`its ${what} is ${String(value)}, which is neither 0 nor 1`);
    return value === 1;
  }

  /** A safe integer from 0 on, in its shortest form: another form would make equal values differ. */
  varint(what: string): number {
    const first = this.#buffer[this.#at];
    if (first === undefined || first >= 0x80) return this.#longVarint(what);
    this.#at += 1;
    return first;
  }

  int64(what: string): bigint {
    this.#need(8, what);
    const value = this.#buffer.readBigInt64LE(this.#at);
    this.#at += 8;
    return value;
  }

  uint64(what: string): bigint {
    this.#need(8, what);
    const value = this.#buffer.readBigUInt64LE(this.#at);
    this.#at += 8;
    return value;
  }

  bytes(what: string): Buffer {
    return this.raw(this.varint(what), what);
  }

  raw(length: number, what: string): Buffer {
    this.#need(length, what);
    this.#at += length;
    return this.#buffer.subarray(this.#at - length, this.#at);
  }

  /** How many elements of at least `minBytes` each follow: never more than the bytes can hold. */
  count(what: string, minBytes: number): number {
    const count = this.varint(what);
    if (count * minBytes > this.#buffer.length - this.#at) {
      throw this.#refuse(`it holds fewer bytes than ${String(count)} ${what} take`);
    }
    return count;
  }

  /** Nothing may follow. */
  end(): void {
    const rest = this.#buffer.length - this.#at;
    if (rest > 0) throw this.#refuse(`${String(rest)} bytes follow its end`);
  }

  #longVarint(what: string): number {
    let value = 0;
    for (let position = 0, weight = 1; position < maxVarintBytes; position++, weight *= 0x80) {
      const byte = this.byte(what);
      value += (byte & 0x7f) * weight;
      if (byte >= 0x80) continue;
      if (byte === 0 && position > 0) throw this.#refuse(`its ${what} is not in the shortest form`);
      if (!Number.isSafeInteger(value)) break;
      return value;
    }
    throw this.#refuse(`its ${what} is larger than a safe integer`);
  }

  #need(length: number, what: string): void {
    const rest = this.#buffer.length - this.#at;
    if (length > rest) throw this.#refuse(`its ${what} takes ${String(length)} bytes and there are ${String(rest)}`);
  }
}
