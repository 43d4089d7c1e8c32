/** How entries are laid out for the hand-over between threads, and the checksums that chain them. */
import { crc32 } from 'node:zlib';
import { assert } from '../base/assert';
import {
  decodeConfiguration,
  encodeConfiguration,
  type Entry,
  type EntryKind,
  type HardState,
  type Persist,
  type SnapshotDescription,
} from '../raft';

/**
 * One record: payload length (4 bytes), then what the checksum covers: index (8), term (8), kind (1), payload.
 * All numbers big-endian.
 */
const lengthBytes = 4;
const coveredHeaderBytes = 8 + 8 + 1;
const recordHeaderBytes = lengthBytes + coveredHeaderBytes;
/** A group begins with its hard state: is there one (1 byte), term (8), is there a vote (1), vote (8). */
const hardStateBytes = 1 + 8 + 1 + 8;
/** Then comes the snapshot: its length (4), 0 for none; index (8), term (8), the configuration's index (8), the configuration. */
const snapshotLengthBytes = 4;
const snapshotHeaderBytes = 8 + 8 + 8;

/** What the kinds are called on disk. Never renumber: old logs hold these. */
const kindCodes: Readonly<Record<EntryKind, number>> = { 'no-op': 0, command: 1, configuration: 2 };
const kindNames: readonly EntryKind[] = ['no-op', 'command', 'configuration'];

/** Several `Persist`s made one: they become durable together. */
export interface Group {
  /** The newest hard state among them. */
  readonly hardState: HardState | undefined;
  /** The newest snapshot among them: the log is replaced by it first, and then come the records. */
  readonly snapshot: SnapshotDescription | undefined;
  /** In order of handing over. An index that does not grow means: remove the log from there on, then append. */
  readonly records: Iterable<LogRecord>;
}

/** An entry in the form in which it is stored. */
export interface LogRecord {
  readonly index: number;
  readonly term: number;
  readonly kindCode: number;
  /** A view of the buffer it was decoded from. */
  readonly payload: Buffer;
  /** Everything the checksum covers, as one stretch of bytes. */
  readonly covered: Buffer;
}

/** The kind stored under a number; `undefined` for a number this program does not know. */
export function kindOfCode(code: number): EntryKind | undefined {
  return kindNames[code];
}

/**
 * The checksum of an entry: CRC-32 over index, term, kind and payload, started from the checksum of the entry before
 * it. So a record that is whole but stands in the wrong place, or in the wrong history, fails the check too.
 *
 * @param previous checksum of the entry at `index - 1`; for the first entry the seed of the log (`chainSeed`)
 */
export function checksumOf(record: Omit<LogRecord, 'covered'>, previous: number): number {
  // A buffer of its own each time: shared state would cost more thought than the 25 bytes cost time.
  const header = Buffer.allocUnsafe(coveredHeaderBytes);
  writeUint64(header, 0, record.index);
  writeUint64(header, 8, record.term);
  header.writeUInt8(record.kindCode, 16);
  const checksum = crc32(header, previous);
  // zlib takes an empty buffer without memory, as SQLite returns one, for "start afresh" and gives 0.
  return record.payload.byteLength === 0 ? checksum : crc32(record.payload, checksum);
}

/** The same checksum, of a record just decoded, in one call. */
export function checksumOfCovered(covered: Buffer, previous: number): number {
  return crc32(covered, previous);
}

/** The checksum of a row of facts other than entries, such as the hard state. `label` keeps the rows apart. */
export function checksumOfFacts(label: string, facts: readonly (string | number)[]): number {
  return crc32(`${label}\0${facts.join('\0')}`);
}

/** Bytes that an entry occupies in an encoded buffer. */
export function encodedBytes(entry: Entry): number {
  return recordHeaderBytes + entry.payload.byteLength;
}

/** Encodes `persists`, in order, into one buffer that can be transferred to the storage worker. */
export function encodeGroup(persists: readonly Persist[]): ArrayBuffer {
  const hardState = persists.findLast((persist) => persist.hardState !== undefined)?.hardState;
  const replacing = persists.findLastIndex((persist) => persist.snapshot !== undefined);
  const snapshot = encodeSnapshot(persists[replacing]?.snapshot);
  // What came before a snapshot would be removed by it at once.
  const kept = persists.slice(Math.max(0, replacing));
  let size = hardStateBytes + snapshot.byteLength;
  for (const persist of kept) {
    for (const entry of persist.entries) size += encodedBytes(entry);
  }
  const buffer = Buffer.from(new ArrayBuffer(size));
  writeHardState(buffer, hardState);
  buffer.set(snapshot, hardStateBytes);
  let offset = hardStateBytes + snapshot.byteLength;
  for (const persist of kept) offset = writeEntries(buffer, offset, persist.entries);
  assert(offset === size, 'a group fills its buffer exactly');
  return buffer.buffer;
}

/** Understands what `encodeGroup` made. The records are views of `encoded`. */
export function decodeGroup(encoded: ArrayBuffer): Group {
  const buffer = Buffer.from(encoded);
  const snapshotEnd = hardStateBytes + snapshotLengthBytes + buffer.readUInt32BE(hardStateBytes);
  return {
    hardState: readHardState(buffer),
    snapshot: decodeSnapshot(buffer.subarray(hardStateBytes + snapshotLengthBytes, snapshotEnd)),
    records: records(buffer, snapshotEnd),
  };
}

/** Encodes stored records for the way back to the main thread. */
export function encodeRecords(found: readonly Omit<LogRecord, 'covered'>[]): ArrayBuffer {
  const size = found.reduce((sum, record) => sum + recordHeaderBytes + record.payload.byteLength, 0);
  const buffer = Buffer.from(new ArrayBuffer(size));
  let offset = 0;
  for (const record of found) offset = writeRecord(buffer, offset, record);
  assert(offset === size, 'the records fill their buffer exactly');
  return buffer.buffer;
}

/** Understands what `encodeRecords` made. Payloads are views of `encoded`. */
export function decodeEntries(encoded: ArrayBuffer): readonly Entry[] {
  const entries: Entry[] = [];
  for (const { index, term, kindCode, payload } of records(Buffer.from(encoded), 0)) {
    const kind = kindOfCode(kindCode);
    assert(kind !== undefined, 'the storage worker passes on known kinds only');
    entries.push({ index, term, kind, payload });
  }
  return entries;
}

function writeHardState(buffer: Buffer, hardState: HardState | undefined): void {
  if (hardState === undefined) return;
  buffer.writeUInt8(1, 0);
  writeUint64(buffer, 1, hardState.term);
  if (hardState.votedFor === undefined) return;
  buffer.writeUInt8(1, 9);
  buffer.writeBigUInt64BE(hardState.votedFor, 10);
}

function readHardState(buffer: Buffer): HardState | undefined {
  if (buffer.readUInt8(0) === 0) return undefined;
  const votedFor = buffer.readUInt8(9) === 0 ? undefined : buffer.readBigUInt64BE(10);
  return { term: readUint64(buffer, 1), votedFor };
}

function encodeSnapshot(snapshot: SnapshotDescription | undefined): Buffer {
  if (snapshot === undefined) return Buffer.alloc(snapshotLengthBytes);
  const { last, configuration } = snapshot;
  const header = Buffer.alloc(snapshotLengthBytes + snapshotHeaderBytes);
  const encoded = encodeConfiguration(configuration);
  header.writeUInt32BE(snapshotHeaderBytes + encoded.byteLength, 0);
  writeUint64(header, snapshotLengthBytes, last.index);
  writeUint64(header, snapshotLengthBytes + 8, last.term);
  writeUint64(header, snapshotLengthBytes + 16, configuration.index);
  return Buffer.concat([header, encoded]);
}

function decodeSnapshot(encoded: Buffer): SnapshotDescription | undefined {
  if (encoded.byteLength === 0) return undefined;
  const decoded = decodeConfiguration(encoded.subarray(snapshotHeaderBytes));
  assert(decoded !== undefined, 'the configuration of a snapshot can be read');
  return {
    last: { index: readUint64(encoded, 0), term: readUint64(encoded, 8) },
    configuration: { index: readUint64(encoded, 16), ...decoded },
  };
}

function writeEntries(buffer: Buffer, start: number, entries: readonly Entry[]): number {
  let offset = start;
  for (const { index, term, kind, payload } of entries) {
    offset = writeRecord(buffer, offset, { index, term, kindCode: kindCodes[kind], payload });
  }
  return offset;
}

type UnstoredRecord = Pick<LogRecord, 'index' | 'term' | 'kindCode'> & { readonly payload: Uint8Array };

function writeRecord(buffer: Buffer, offset: number, record: UnstoredRecord): number {
  buffer.writeUInt32BE(record.payload.byteLength, offset);
  writeUint64(buffer, offset + 4, record.index);
  writeUint64(buffer, offset + 12, record.term);
  buffer.writeUInt8(record.kindCode, offset + 20);
  buffer.set(record.payload, offset + recordHeaderBytes);
  return offset + recordHeaderBytes + record.payload.byteLength;
}

function* records(buffer: Buffer, start: number): Generator<LogRecord> {
  let offset = start;
  while (offset < buffer.length) {
    const end = offset + recordHeaderBytes + buffer.readUInt32BE(offset);
    assert(end <= buffer.length, 'a record ends inside its buffer');
    yield {
      index: readUint64(buffer, offset + 4),
      term: readUint64(buffer, offset + 12),
      kindCode: buffer.readUInt8(offset + 20),
      payload: buffer.subarray(offset + recordHeaderBytes, end),
      covered: buffer.subarray(offset + lengthBytes, end),
    };
    offset = end;
  }
}

/** As two halves: a BigInt for each number would cost more than all the rest. */
function writeUint64(buffer: Buffer, offset: number, value: number): void {
  assert(Number.isSafeInteger(value) && value >= 0, 'indexes and terms are safe integers, 0 or more');
  buffer.writeUInt32BE(Math.floor(value / 2 ** 32), offset);
  buffer.writeUInt32BE(value >>> 0, offset + 4);
}

function readUint64(buffer: Buffer, offset: number): number {
  const value = buffer.readUInt32BE(offset) * 2 ** 32 + buffer.readUInt32BE(offset + 4);
  assert(Number.isSafeInteger(value), 'indexes and terms are safe integers');
  return value;
}
