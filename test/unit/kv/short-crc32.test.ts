/** Our CRC-32 against zlib's. */
import { crc32 } from 'node:zlib';
import { seededRng } from '../../../src/base/rng';
import { shortCrc32 } from '../../../src/kv/short-crc32';

describe('The checksum of few bytes', () => {
  it('is that of zlib, whatever the bytes and however many', () => {
    const rng = seededRng(7);
    for (let length = 0; length <= 200; length++) {
      const bytes = Buffer.from(Array.from({ length }, () => rng.nextUint32() & 0xff));
      const view = new DataView(bytes.buffer, bytes.byteOffset, length);
      expect(shortCrc32(view, length)).toBe(crc32(bytes));
    }
  });
});
