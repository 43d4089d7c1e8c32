/** A snapshot as it comes in: its header first, then its bytes, held against size and digest at the end. */
import { createHash } from 'node:crypto';
import { QuorateError } from '../base/error';
import type { SnapshotHeader, SnapshotResponse } from '../gen/quorate/v1/maintenance';

/**
 * A copy of one member's database on its way. Iterate it once, to get its bytes in order; leaving the loop early cancels it.
 * The iteration ends normally only when exactly `sizeBytes` with the digest `sha256` have come.
 */
export interface SnapshotDownload extends AsyncIterable<Uint8Array> {
  readonly clusterId: bigint;
  /** The last log index applied to the copy. */
  readonly appliedIndex: number;
  readonly sizeBytes: number;
  /** SHA-256 of the whole, 64 hexadecimal digits. */
  readonly sha256: string;
}

/** Bounds of a snapshot. */
export interface SnapshotOptions {
  /**
   * Most time without a byte, in milliseconds: before the first, while the member makes the copy, and between two. Default
   * 60,000. The whole may take as long as it needs.
   */
  readonly maxSilenceMs?: number;
}

/** Where the messages come from. */
export interface SnapshotMessages {
  /** @throws QuorateError */
  next(): Promise<SnapshotResponse | undefined>;
  cancel(): void;
}

/**
 * The rest of a stream whose first message was `first`.
 *
 * @throws QuorateError `snapshot-failed` if that is no header
 */
export function downloadOf(first: SnapshotResponse | undefined, messages: SnapshotMessages): SnapshotDownload {
  if (first?.part?.$case !== 'header') {
    messages.cancel();
    throw broken('it does not begin with a header');
  }
  const header = first.part.value;
  const { clusterId, appliedIndex, sizeBytes } = header;
  const sha256 = Buffer.from(header.sha256).toString('hex');
  return { clusterId, appliedIndex, sizeBytes, sha256, [Symbol.asyncIterator]: () => checkedBytes(header, messages) };
}

async function* checkedBytes(
  header: SnapshotHeader,
  messages: SnapshotMessages,
): AsyncGenerator<Uint8Array, void, undefined> {
  const hash = createHash('sha256');
  let received = 0;
  try {
    for (let message = await messages.next(); message !== undefined; message = await messages.next()) {
      if (message.part?.$case !== 'chunk') throw broken('a part of it is no chunk');
      const bytes = message.part.value;
      received += bytes.length;
      if (received > header.sizeBytes) throw broken(`it is longer than ${String(header.sizeBytes)} bytes`);
      hash.update(bytes);
      yield bytes;
    }
    if (received < header.sizeBytes) {
      throw broken(`it ended after ${String(received)} of ${String(header.sizeBytes)} bytes`);
    }
    if (!hash.digest().equals(header.sha256)) throw broken('its SHA-256 is not the one that was announced');
  } finally {
    messages.cancel();
  }
}

function broken(what: string): QuorateError {
  return new QuorateError('snapshot-failed', `the snapshot that came in is unusable: ${what}`);
}
