/** Copies of a state that does not exist: bytes that follow from their offset, with an account of who holds and reads what. */
import { createHash } from 'node:crypto';
import type { SnapshotSource, StateCopy } from '../../src/api/state-copies';

export class FakeSnapshots implements SnapshotSource {
  /** Size of the next copy. */
  sizeBytes = 1_000_000;
  /** When set, it is waited for before a copy is there, and may reject. */
  beforeCopy: (() => Promise<void>) | undefined;
  /** When set, it is waited for before bytes are read, and may reject. */
  beforeRead: ((offset: number) => Promise<void>) | undefined;
  /** Announces another digest than that of the bytes. */
  lies = false;
  taken = 0;
  released = 0;
  bytesRead = 0;

  async takeSnapshot(): Promise<StateCopy> {
    await this.beforeCopy?.();
    this.taken++;
    const { sizeBytes } = this;
    const sha256 = this.lies ? '00'.repeat(32) : createHash('sha256').update(bytesAt(0, sizeBytes)).digest('hex');
    return {
      last: { index: 42, term: 3 },
      sizeBytes,
      sha256,
      read: async (offset, maxBytes) => {
        await this.beforeRead?.(offset);
        const bytes = bytesAt(offset, Math.min(offset + maxBytes, sizeBytes));
        this.bytesRead += bytes.length;
        return bytes;
      },
      release: () => {
        this.released++;
        return Promise.resolve();
      },
    };
  }
}

/** The bytes of every copy, from one offset to another. */
export function bytesAt(start: number, end: number): Buffer {
  const phase = start % pattern.length;
  return Buffer.alloc(end - start, Buffer.concat([pattern.subarray(phase), pattern.subarray(0, phase)]));
}

/** Its length divides no chunk's, so that a chunk in another's place shows. */
const pattern = Buffer.from(Array.from({ length: 251 }, (_, at) => at));
