/** CRC-32 (zlib's) of few bytes, for which a call of zlib's takes three times as long. */

const polynomial = 0xedb88320;
const values = 256;
/** Bytes taken at a time; for each of them a table tells what it does to the sum from its place. */
const stride = 4;
const last = tableOf((value) => bitByBit(value));
const third = tableOf((value) => oneByteOn(last[value] ?? 0));
const second = tableOf((value) => oneByteOn(third[value] ?? 0));
const first = tableOf((value) => oneByteOn(second[value] ?? 0));

/** Of the first `length` bytes. */
export function shortCrc32(bytes: DataView, length: number): number {
  let sum = -1;
  let at = 0;
  for (; at + stride <= length; at += stride) {
    sum ^= bytes.getInt32(at, true);
    sum =
      (first[sum & 0xff] ?? 0) ^
      (second[(sum >>> 8) & 0xff] ?? 0) ^
      (third[(sum >>> 16) & 0xff] ?? 0) ^
      (last[sum >>> 24] ?? 0);
  }
  for (; at < length; at++) sum = (sum >>> 8) ^ (last[(sum ^ bytes.getUint8(at)) & 0xff] ?? 0);
  return ~sum >>> 0;
}

function tableOf(sumOf: (value: number) => number): Int32Array {
  return Int32Array.from({ length: values }, (_, value) => sumOf(value));
}

function bitByBit(value: number): number {
  let sum = value;
  for (let bit = 0; bit < 8; bit++) sum = (sum & 1) === 0 ? sum >>> 1 : (sum >>> 1) ^ polynomial;
  return sum;
}

function oneByteOn(sum: number): number {
  return (sum >>> 8) ^ (last[sum & 0xff] ?? 0);
}
