/** What the store says of keys, as messages of `quorate.v1`. */
import { type Event, EventType, type KeyValue } from '../../../gen/quorate/v1/kv';
import type { Change, KeyRecord } from '../../../kv/result';

/** A key as a message, without its value if only keys were asked for. */
export function keyValueMessage(record: KeyRecord, keysOnly: boolean): KeyValue {
  const { createRevision, modRevision, version, lease: leaseId } = record;
  const value = keysOnly ? undefined : valueMessage(record);
  return { key: text(record.key), value, createRevision, modRevision, version, leaseId };
}

/** A key that may not be there, with its value. */
export function foundMessage(record: KeyRecord | undefined, keysOnly = false) {
  return { found: record !== undefined, kv: record === undefined ? undefined : keyValueMessage(record, keysOnly) };
}

/** A key as it was before a mutation. */
export function previousMessage(record: KeyRecord | undefined): KeyValue | undefined {
  return record === undefined ? undefined : keyValueMessage(record, false);
}

/** A change of a key, without the record before. */
export function eventMessage({ kind, record }: Change, keysOnly: boolean): Event {
  if (kind === 'put') return { type: EventType.PUT, kv: keyValueMessage(record, keysOnly), previous: undefined };
  const { modRevision } = record;
  const kv = { key: text(record.key), value: undefined, createRevision: 0, modRevision, version: 0, leaseId: 0n };
  return { type: EventType.DELETE, kv, previous: undefined };
}

function valueMessage({ form, value }: KeyRecord): KeyValue['value'] {
  return form === 'text' ? { $case: 'text', value: text(value) } : { $case: 'data', value: view(value) };
}

function text(bytes: Uint8Array): string {
  return view(bytes).toString('utf8');
}

function view(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
