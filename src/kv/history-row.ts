/** One row of the store's history: one change of one key, and the checksums that guard it. */
import { crc32 } from 'node:zlib';
import { noLease, type ValueForm } from './command';

/** A row without its key and value. Rows are numbered from 1 on, in the order of their revisions; compaction leaves gaps. */
export interface RowHead {
  readonly row: number;
  readonly revision: number;
  /** Orders the rows of one revision, from 0: a transaction makes many. */
  readonly sub: number;
  /** 0 in a tombstone. */
  readonly createRevision: number;
  /** 0 in a tombstone. */
  readonly version: number;
  readonly flags: number;
  /** The lease it was attached to; `noLease`, unless the flag `leased` is set. */
  readonly lease: bigint;
}

/** A whole row. */
export interface HistoryRow extends RowHead {
  readonly key: Uint8Array;
  /** Empty in a tombstone. */
  readonly value: Uint8Array;
}

/** Bits of `flags`. Never renumbered: they are in every state database and every backup. */
export const RowFlags = {
  /** The row is a put; without it, a tombstone. */
  put: 1,
  /** The value was given as text. */
  textValue: 2,
  /** The key is valid UTF-8; for people who read the database. */
  textKey: 4,
  /** The key was attached to a lease. */
  leased: 8,
} as const;

/** The form in which a row's value was given. */
export function formOf(flags: number): ValueForm {
  return (flags & RowFlags.textValue) === 0 ? 'bytes' : 'text';
}

const headNumbers = 6;
const headBytes = 8 * headNumbers;
const leaseBytes = 8;
// Nearly every key fits, so that one call checks numbers and key together: a call costs more than 100 bytes do.
const scratchBytes = 512;
const scratch = Buffer.alloc(scratchBytes);
const scratchView = new DataView(scratch.buffer, scratch.byteOffset, scratch.byteLength);

/**
 * CRC-32 (zlib's) over the head's numbers, each as a little-endian double, the lease if there is one, as a little-endian
 * integer of 64 bits, and the key. It can be checked without the value, which is how the key index is rebuilt without
 * reading every value.
 *
 * @param keys holds the key from `start` to `end`
 */
export function headChecksum(head: RowHead, keys: Uint8Array, start = 0, end = keys.length): number {
  writeNumber(0, head.row);
  writeNumber(1, head.revision);
  writeNumber(2, head.sub);
  writeNumber(3, head.createRevision);
  writeNumber(4, head.version);
  writeNumber(5, head.flags);
  let keyAt = headBytes;
  if (head.lease !== noLease) {
    scratchView.setBigInt64(keyAt, head.lease, true);
    keyAt += leaseBytes;
  }
  const length = end - start;
  if (length > scratchBytes - keyAt) return crc32(keys.subarray(start, end), crc32(scratch.subarray(0, keyAt)));
  // For keys of usual length a loop takes less time than a call.
  for (let at = 0; at < length; at++) scratch[keyAt + at] = keys[start + at] ?? 0;
  return crc32(scratch.subarray(0, keyAt + length));
}

/** CRC-32 over the whole row: the head's, continued over the value. A value in another key's row fails it, too. */
export function rowChecksum(ofHead: number, value: Uint8Array): number {
  // zlib takes no bytes at no address for the wish to start anew, and answers 0.
  return value.length === 0 ? ofHead : crc32(value, ofHead);
}

/** A signed number of 64 bits from its signed upper half and its unsigned lower one. */
export function joinHalves(high: number, low: number): bigint {
  if (high === 0) return low === 0 ? 0n : BigInt(low);
  return (BigInt(high) << 32n) | BigInt(low);
}

/** CRC-32 over a few numbers, for the small tables. */
export function numbersChecksum(numbers: readonly number[], seed: number): number {
  numbers.forEach((value, position) => {
    writeNumber(position, value);
  });
  return crc32(scratch.subarray(0, 8 * numbers.length), seed);
}

function writeNumber(position: number, value: number): void {
  scratchView.setFloat64(8 * position, value, true);
}
