/** Remembers, outside the database, how many groups were written: so that a log that lost its newest part is found out. */
import { closeSync, existsSync, fsyncSync, openSync, readFileSync, writeSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import { QuorateError } from '../base/error';
import { damagedAdvice } from './sqlite-connection';

/** Write number (8 bytes), CRC-32 of it (4). */
const witnessBytes = 12;

/**
 * A small file beside raft.db. It is written after every commit, but not synced: what it says was durable in the database
 * before, so even an old version of it never claims too much. After a kill -9 it is exact, after a power cut a lower bound.
 *
 * It catches a raft.db-wal that somebody "cleaned up" and a raft.db restored from an older copy. Both look like a healthy,
 * shorter log, and a member with a shorter log than it acknowledged can make committed entries disappear.
 */
export class Witness {
  readonly #descriptor: number;
  readonly #buffer = Buffer.alloc(witnessBytes);

  /** Opens the file and records `writeNumber`, durably. */
  constructor(path: string, writeNumber: number) {
    this.#descriptor = openSync(path, existsSync(path) ? 'r+' : 'w', 0o600);
    this.record(writeNumber);
    fsyncSync(this.#descriptor);
  }

  /** Remembers that the group with this number is durable in the database. */
  record(writeNumber: number): void {
    this.#buffer.writeBigUInt64BE(BigInt(writeNumber));
    this.#buffer.writeUInt32BE(crc32(this.#buffer.subarray(0, 8)), 8);
    writeSync(this.#descriptor, this.#buffer, 0, witnessBytes, 0);
  }

  close(): void {
    closeSync(this.#descriptor);
  }
}

/**
 * Compares the log with what the witness remembers. A witness that is missing or torn says nothing.
 *
 * @throws QuorateError `damaged` when the log is older than it was
 */
export function checkWitness(path: string, writeNumber: number): void {
  const remembered = readWitness(path);
  if (remembered === undefined || remembered <= writeNumber) return;
  throw new QuorateError(
    'damaged',
    `the log beside ${path} has lost its newest writes: it ends with write ${writeNumber}, and write ` +
      `${remembered} was durable. Was raft.db-wal removed, or raft.db replaced by an older copy? Put the right ` +
      `files back. If there are none: ${damagedAdvice}`,
    { details: { actual: String(writeNumber), limit: String(remembered) } },
  );
}

function readWitness(path: string): number | undefined {
  if (!existsSync(path)) return undefined;
  const content = readFileSync(path);
  if (content.length !== witnessBytes || content.readUInt32BE(8) !== crc32(content.subarray(0, 8))) return undefined;
  return Number(content.readBigUInt64BE());
}
