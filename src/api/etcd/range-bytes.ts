/** The answer to a range as bytes: its records are written one after the other, without a message for each in between. */
import type { ResponseHeader } from '../../gen/etcd/etcdserverpb/header';
import { RangeResponse } from '../../gen/etcd/etcdserverpb/kv';
import { KeyValue } from '../../gen/etcd/mvccpb/kv';
import { ByteWriter } from '../../kv/byte-writer';
import { noLease } from '../../kv/command';
import type { KeyRecord, RangeResult } from '../../kv/result';
import { keyValueOf } from './kv-messages';

/** The first byte of each field: its number in the schema, and whether a number or a length and bytes follow. */
const tags = {
  kvs: (2 << 3) | 2,
  key: (1 << 3) | 2,
  createRevision: 2 << 3,
  modRevision: 3 << 3,
  version: 4 << 3,
  value: (5 << 3) | 2,
} as const;

/** What a record takes beside its key and value, at most. */
const recordOverheadBytes = 64;
const answerOverheadBytes = 100;

/** The bytes that the generated encoder gives, at a quarter of the time. */
export function rangeBytes(header: ResponseHeader, { records, more, count }: Omit<RangeResult, 'kind'>): Buffer {
  const bytes = records.reduce((sum, { key, value }) => sum + key.length + value.length + recordOverheadBytes, 0);
  const writer = new ByteWriter(bytes + answerOverheadBytes);
  writer.raw(RangeResponse.encode({ header, kvs: [], more: false, count: 0n }).finish());
  for (const record of records) {
    writer.byte(tags.kvs);
    // The rarer form is left to the generated encoder.
    if (record.lease !== noLease) writer.bytes(KeyValue.encode(keyValueOf(record)).finish());
    else writeRecord(writer, record);
  }
  writer.raw(RangeResponse.encode({ header: undefined, kvs: [], more, count: BigInt(count) }).finish());
  return writer.finish();
}

/** A record has a key, revisions and a version; an empty value is left out. */
function writeRecord(writer: ByteWriter, { key, createRevision, modRevision, version, value }: KeyRecord): void {
  const valueLength = value.length === 0 ? 0 : 1 + lengthOf(value.length) + value.length;
  const numbersLength = 3 + lengthOf(createRevision) + lengthOf(modRevision) + lengthOf(version);
  writer.varint(1 + lengthOf(key.length) + key.length + numbersLength + valueLength);
  writer.byte(tags.key);
  writer.bytes(key);
  writer.byte(tags.createRevision);
  writer.varint(createRevision);
  writer.byte(tags.modRevision);
  writer.varint(modRevision);
  writer.byte(tags.version);
  writer.varint(version);
  if (valueLength === 0) return;
  writer.byte(tags.value);
  writer.bytes(value);
}

/** How many bytes a number takes, at 7 bits each. */
function lengthOf(number: number): number {
  let length = 1;
  for (let rest = number; rest >= 0x80; rest /= 0x80) length++;
  return length;
}
