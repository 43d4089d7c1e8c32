/** Between the messages of `quorate.v1` and the plain values of this client: keys, values, reads. */
import { QuorateError } from '../base/error';
import type { Duration } from '../gen/google/protobuf/duration';
import {
  Consistency,
  EventType,
  type Event,
  type KeyValue as WireKeyValue,
  type Range,
  type WatchRequest,
} from '../gen/quorate/v1/kv';
import type { KeyEvent, KeyValue, ReadOptions, RevisionReadOptions, Selection, Value } from './types';

/** A value as the `oneof` of a message. */
export function toWireValue(value: Value): Exclude<WireKeyValue['value'], undefined> {
  if (typeof value === 'string') return { $case: 'text', value: wellFormed('value', value) };
  return { $case: 'data', value: Buffer.from(value.buffer, value.byteOffset, value.byteLength) };
}

/**
 * The text itself, if UTF-8 can express it. A lone surrogate would silently become another character, and so another key.
 *
 * @throws QuorateError `invalid-argument`
 */
export function wellFormed(field: string, text: string): string {
  if (!/\p{Surrogate}/u.test(text)) return text;
  throw invalidField(field, 'holds half of a surrogate pair, which is not valid Unicode text');
}

/** An error about a field of a request that this client itself refuses. */
export function invalidField(field: string, problem: string): QuorateError {
  return new QuorateError('invalid-argument', `${field} ${problem}`, { details: { field } });
}

export function fromWireKeyValue(kv: WireKeyValue): KeyValue {
  const { key, createRevision, modRevision, version } = kv;
  return { key, value: kv.value?.value, createRevision, modRevision, version, leaseId: fromWireLease(kv.leaseId) };
}

/** A key that may be missing in an answer. */
export function fromWireKey(kv: WireKeyValue | undefined): KeyValue | undefined {
  return kv === undefined ? undefined : fromWireKeyValue(kv);
}

/** On the wire 0 stands for none. */
export function fromWireLease(id: bigint): bigint | undefined {
  return id === 0n ? undefined : id;
}

export function fromWireEvent({ type, kv, previous }: Event): KeyEvent {
  // An answer without the key, which no member gives, has an empty one.
  const key = kv ?? { key: '', value: undefined, createRevision: 0, modRevision: 0, version: 0, leaseId: 0n };
  return {
    type: type === EventType.DELETE ? 'delete' : 'put',
    kv: fromWireKeyValue(key),
    previous: fromWireKey(previous),
  };
}

/** The fields that every read has. */
export function toWireRead(options: ReadOptions): {
  readonly consistency: Consistency;
  readonly maxStaleness: Duration | undefined;
  readonly minRevision: number;
} {
  return {
    consistency: options.consistency === 'stale' ? Consistency.STALE : Consistency.LINEARIZABLE,
    maxStaleness: options.maxStalenessMs === undefined ? undefined : toWireDuration(options.maxStalenessMs),
    minRevision: options.minRevision ?? 0,
  };
}

/** The fields of a read that may be of the past. */
export function toWireRevisionRead(options: RevisionReadOptions): ReturnType<typeof toWireRead> & { revision: number } {
  return { ...toWireRead(options), revision: options.revision ?? 0 };
}

/** A selection as the `oneof` of a message; all keys are no selection. */
export function toWireSelection(selection: Selection): Exclude<WatchRequest['selection'], { $case: 'key' }> {
  switch (selection.kind) {
    case 'all':
      return undefined;
    case 'prefix':
      return { $case: 'prefix', value: wellFormed('prefix', selection.prefix) };
    case 'range':
      return { $case: 'range', value: toWireRange(selection) };
  }
}

export function toWireRange({ start, end }: Selection & { readonly kind: 'range' }): Range {
  return { start: wellFormed('start', start), end: wellFormed('end', end) };
}

/** @param durationMs milliseconds, not negative */
export function toWireDuration(durationMs: number): Duration {
  const seconds = Math.floor(durationMs / 1_000);
  return { seconds: BigInt(seconds), nanos: Math.round((durationMs - seconds * 1_000) * 1e6) };
}

/** Milliseconds; 0 when there is none. */
export function fromWireDuration(duration: Duration | undefined): number {
  return duration === undefined ? 0 : Number(duration.seconds) * 1_000 + duration.nanos / 1e6;
}
