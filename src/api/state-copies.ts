/** Copies of the state on their way to a client: the same bytes in every API. */
import { assert } from '../base/assert';
import type { LogPosition } from '../raft';

/** The part of the state machine that makes copies. */
export interface SnapshotSource {
  /** @throws QuorateError `snapshot-failed` when there is no space, for example; `stopping` */
  takeSnapshot(): Promise<StateCopy>;
}

/** A copy of the state that does not change any more. */
export interface StateCopy {
  /** The last entry it stands for. */
  readonly last: LogPosition;
  readonly sizeBytes: number;
  /** Of all its bytes: 64 hexadecimal digits. */
  readonly sha256: string;
  /**
   * Exactly `maxBytes` from `offset` on, or fewer at the end.
   *
   * @throws QuorateError `snapshot-failed`
   */
  read(offset: number, maxBytes: number): Promise<Uint8Array>;
  /** Gives its disk space back. */
  release(): Promise<void>;
}

/** Bounds of the streams that send copies, of all APIs together. Each copy takes the disk space of the whole state. */
export const copyLimits = { maxStreams: 2, maxStallMs: 60_000 } as const;

/** Most bytes of a copy in one message. The schema of `quorate.v1` promises no more than 256 KiB. */
const copyChunkBytes = 256 * 1024;

/** All bytes of a copy in order, in pieces of one message each. */
export async function* chunksOf(copy: StateCopy): AsyncGenerator<Buffer, void, undefined> {
  for (let offset = 0; offset < copy.sizeBytes;) {
    const bytes = await copy.read(offset, copyChunkBytes);
    assert(bytes.length > 0, 'a copy does not end before its size');
    offset += bytes.length;
    yield Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }
}
