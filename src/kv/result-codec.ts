/** Results as bytes: what is remembered of a request, so that its repetition gets the same answer. */
import { unreachable } from '../base/assert';
import { QuorateError } from '../base/error';
import { ByteReader } from './byte-reader';
import { ByteWriter } from './byte-writer';
import type {
  DeleteResult,
  KeyRecord,
  LeaseResult,
  OperationResult,
  PlainResult,
  PutResult,
  RangeResult,
  Refusal,
  RefusedResult,
  TxnResult,
} from './result';

// Layout, in bytes: version (1)  kind (1)  fields, written as those of commands are. Kinds and refusals are never renumbered.
const formatVersion = 1;
const kinds = { put: 1, delete: 2, range: 3, txn: 4, done: 5, lease: 6, refused: 7 } as const;

const refusals: readonly Refusal[] = [
  'key-not-found',
  'duplicate-key',
  'lease-not-found',
  'lease-exists',
  'compacted',
  'future-revision',
  'no-space',
  'corrupt',
  'request-expired',
  'request-mismatch',
];

const usualResultBytes = 64;
/** No record, result or lease is shorter. */
const minElementBytes = 3;

export function encodeResult(result: PlainResult): Buffer {
  const writer = new ByteWriter(usualResultBytes);
  writer.byte(formatVersion);
  writer.byte(kinds[result.kind]);
  writer.varint(result.revision);
  switch (result.kind) {
    case 'done':
      writer.bool(result.changed);
      break;
    case 'lease':
      writeLeases(writer, result);
      break;
    case 'refused':
      writeRefusal(writer, result);
      break;
    case 'put':
    case 'delete':
    case 'range':
    case 'txn':
      writeOperationFields(writer, result);
  }
  return writer.finish();
}

/** @throws QuorateError `damaged` when it is not exactly one result of a known version and kind */
export function decodeResult(bytes: Uint8Array): PlainResult {
  const reader = new ByteReader(bytes, notUnderstood);
  const version = reader.byte('version');
  if (version !== formatVersion) throw notUnderstood(`its format is version ${String(version)}`);
  const result = readResult(reader, reader.byte('kind'));
  reader.end();
  return result;
}

function readResult(reader: ByteReader, kind: number): PlainResult {
  switch (kind) {
    case kinds.done:
      return { kind: 'done', revision: reader.varint('revision'), changed: reader.bool('change') };
    case kinds.lease:
      return readLeases(reader);
    case kinds.refused:
      return readRefusal(reader);
    default:
      return readOperationResult(reader, kind);
  }
}

function writeOperationFields(writer: ByteWriter, result: OperationResult): void {
  switch (result.kind) {
    case 'put':
      writer.varint(result.createRevision);
      writer.varint(result.version);
      writer.bool(result.previous !== undefined);
      if (result.previous !== undefined) writeRecord(writer, result.previous);
      return;
    case 'delete':
      writer.varint(result.deleted);
      writeRecords(writer, result.previous);
      return;
    case 'range':
      writer.bool(result.more);
      writer.varint(result.count);
      writeRecords(writer, result.records);
      return;
    case 'txn':
      writer.bool(result.succeeded);
      writer.varint(result.results.length);
      for (const each of result.results) {
        writer.byte(kinds[each.kind]);
        writer.varint(each.revision);
        writeOperationFields(writer, each);
      }
      return;
    default:
      unreachable(result);
  }
}

function readOperationResult(reader: ByteReader, kind: number): OperationResult {
  const revision = reader.varint('revision');
  switch (kind) {
    case kinds.put:
      return readPut(reader, revision);
    case kinds.delete:
      return readDelete(reader, revision);
    case kinds.range:
      return readRange(reader, revision);
    case kinds.txn:
      return readTxn(reader, revision);
    default:
      throw notUnderstood(`it is of kind ${String(kind)}`);
  }
}

function readPut(reader: ByteReader, revision: number): PutResult {
  const createRevision = reader.varint('revision');
  const version = reader.varint('version');
  const previous = reader.bool('previous record') ? readRecord(reader) : undefined;
  return { kind: 'put', revision, createRevision, version, previous };
}

function readDelete(reader: ByteReader, revision: number): DeleteResult {
  return { kind: 'delete', revision, deleted: reader.varint('count'), previous: readRecords(reader) };
}

function readRange(reader: ByteReader, revision: number): RangeResult {
  const more = reader.bool('more');
  const count = reader.varint('count');
  return { kind: 'range', revision, more, count, records: readRecords(reader) };
}

function readTxn(reader: ByteReader, revision: number): TxnResult {
  const succeeded = reader.bool('success');
  const results: OperationResult[] = [];
  for (let left = reader.count('results', minElementBytes); left > 0; left--) {
    results.push(readOperationResult(reader, reader.byte('kind')));
  }
  return { kind: 'txn', revision, succeeded, results };
}

function writeRecords(writer: ByteWriter, records: readonly KeyRecord[]): void {
  writer.varint(records.length);
  for (const record of records) writeRecord(writer, record);
}

function readRecords(reader: ByteReader): KeyRecord[] {
  const records: KeyRecord[] = [];
  for (let left = reader.count('records', minElementBytes); left > 0; left--) records.push(readRecord(reader));
  return records;
}

function writeRecord(writer: ByteWriter, record: KeyRecord): void {
  writer.bytes(record.key);
  writer.bytes(record.value);
  writer.bool(record.form === 'text');
  writer.varint(record.createRevision);
  writer.varint(record.modRevision);
  writer.varint(record.version);
  writer.int64(record.lease);
}

function readRecord(reader: ByteReader): KeyRecord {
  return {
    key: reader.bytes('key'),
    value: reader.bytes('value'),
    form: reader.bool('form') ? 'text' : 'bytes',
    createRevision: reader.varint('revision'),
    modRevision: reader.varint('revision'),
    version: reader.varint('version'),
    lease: reader.int64('lease'),
  };
}

function writeLeases(writer: ByteWriter, { leases }: LeaseResult): void {
  writer.varint(leases.length);
  for (const { id, ttl } of leases) {
    writer.int64(id);
    writer.varint(ttl);
  }
}

function readLeases(reader: ByteReader): LeaseResult {
  const revision = reader.varint('revision');
  const leases: { readonly id: bigint; readonly ttl: number }[] = [];
  for (let left = reader.count('leases', minElementBytes); left > 0; left--) {
    leases.push({ id: reader.int64('lease'), ttl: reader.varint('time to live') });
  }
  return { kind: 'lease', revision, leases };
}

function writeRefusal(writer: ByteWriter, { refusal, limit }: RefusedResult): void {
  writer.byte(refusals.indexOf(refusal));
  writer.bool(limit !== undefined);
  if (limit !== undefined) writer.varint(limit);
}

function readRefusal(reader: ByteReader): RefusedResult {
  const revision = reader.varint('revision');
  const refusal = refusals[reader.byte('refusal')];
  if (refusal === undefined) throw notUnderstood('its refusal is unknown');
  return { kind: 'refused', revision, refusal, limit: reader.bool('limit') ? reader.varint('limit') : undefined };
}

function notUnderstood(why: string): QuorateError {
  return new QuorateError('damaged', `a remembered result cannot be understood: ${why}`);
}
