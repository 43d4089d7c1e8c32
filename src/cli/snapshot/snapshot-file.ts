/** A snapshot in a file: where its content ends, and its SHA-256. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { QuorateError } from '../../client';

/** What a file holds. */
export interface SnapshotFile {
  readonly path: string;
  /** Bytes of the database: without the digest that may follow it. */
  readonly sizeBytes: number;
  /** The digest that `etcdctl snapshot save` leaves behind the database, 64 hexadecimal digits. */
  readonly appendedSha256: string | undefined;
}

const digestBytes = 32;
/** The smallest page of a SQLite file; etcd, too, knows by this size that a digest follows. */
const pageBytes = 512;
const largestPart = 1024 * 1024;

/** @throws QuorateError `invalid-argument` when the file cannot be read, or is no SQLite file */
export async function openSnapshotFile(path: string): Promise<SnapshotFile> {
  const handle = await readable(path, () => open(path, 'r'));
  try {
    const { size } = await handle.stat();
    const magic = await handle.read(Buffer.alloc(16), 0, 16, 0);
    if (magic.buffer.toString('latin1') !== 'SQLite format 3\0') throw unusable(path, 'is not a SQLite file');
    if (size % pageBytes !== digestBytes) return { path, sizeBytes: size, appendedSha256: undefined };
    const { buffer } = await handle.read(Buffer.alloc(digestBytes), 0, digestBytes, size - digestBytes);
    return { path, sizeBytes: size - digestBytes, appendedSha256: buffer.toString('hex') };
  } finally {
    await handle.close();
  }
}

/**
 * The bytes of the database, in order; at the end its digest is held against the one behind it, and the one that is
 * expected.
 *
 * @throws QuorateError `invalid-argument` when they differ, or the file cannot be read
 */
export async function* checkedParts(
  file: SnapshotFile,
  expectedSha256: string | undefined,
): AsyncGenerator<Uint8Array, string, undefined> {
  const hash = createHash('sha256');
  const bytes = createReadStream(file.path, { start: 0, end: file.sizeBytes - 1, highWaterMark: largestPart });
  try {
    for await (const part of bytes) {
      hash.update(part as Buffer);
      yield part as Buffer;
    }
  } catch (error) {
    throw unusable(file.path, `cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  }
  const sha256 = hash.digest('hex');
  for (const expected of [file.appendedSha256, expectedSha256]) {
    if (expected === undefined || expected === sha256) continue;
    throw unusable(file.path, `is damaged: its SHA-256 is ${sha256}, and ${expected} is expected`);
  }
  return sha256;
}

/** The digest of the database, held against the one behind it. @throws QuorateError `invalid-argument` */
export async function sha256Of(file: SnapshotFile): Promise<string> {
  const parts = checkedParts(file, undefined);
  for (;;) {
    const { done, value } = await parts.next();
    if (done === true) return value;
  }
}

/** An error about a snapshot file. */
export function unusable(path: string, problem: string): QuorateError {
  return new QuorateError('invalid-argument', `${path} ${problem}`, { details: { field: 'file', actual: path } });
}

async function readable<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw unusable(path, `cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  }
}
