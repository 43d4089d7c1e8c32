/** The messages of etcd's Watch service, as bytes: events are encoded once for all watches that are told of them. */
import { BinaryWriter } from '@bufbuild/protobuf/wire';
import { WatchResponse } from '../../gen/etcd/etcdserverpb/watch';
import { Event, Event_EventType } from '../../gen/etcd/mvccpb/kv';
import type { WatchEvent } from '../../kv/watch';
import { keyValueOf } from './kv-messages';

/** A response without its events. */
export type ResponseHead = Pick<WatchResponse, 'header' | 'watchId'> &
  Partial<Pick<WatchResponse, 'created' | 'canceled' | 'compactRevision' | 'cancelReason' | 'fragment'>>;

/** Field `events` (11) with a length before its bytes. */
const eventsTag = (11 << 3) | 2;

const eventFields = new WeakMap<WatchEvent, Uint8Array>();

/** A response with these events. */
export function responseBytes(head: ResponseHead, events: readonly WatchEvent[] = []): Buffer {
  return Buffer.concat([headBytes(head), ...events.map(eventField)]);
}

/** Messages with events, for all streams of a member: many clients watch the same and are told it one after the other. */
export class EventMessages {
  #last: { readonly head: ResponseHead; readonly events: readonly WatchEvent[]; readonly bytes: Buffer } | undefined;

  /** @param head without anything but its header and its watch */
  bytesOf(head: Pick<ResponseHead, 'header' | 'watchId'>, events: readonly WatchEvent[]): Buffer {
    if (this.#last === undefined || !isSameHead(this.#last.head, head) || !areSame(this.#last.events, events)) {
      this.#last = { head, events, bytes: responseBytes(head, events) };
    }
    return this.#last.bytes;
  }
}

/** Of one member. */
function isSameHead(a: ResponseHead, b: ResponseHead): boolean {
  return (
    a.watchId === b.watchId && a.header?.revision === b.header?.revision && a.header?.raftTerm === b.header?.raftTerm
  );
}

function areSame(a: readonly WatchEvent[], b: readonly WatchEvent[]): boolean {
  return a.length === b.length && a.every((event, at) => event === b[at]);
}

/** The event as one element of the field `events`. */
function eventField(event: WatchEvent): Uint8Array {
  let bytes = eventFields.get(event);
  if (bytes === undefined) {
    bytes = new BinaryWriter()
      .uint32(eventsTag)
      .bytes(Event.encode(eventMessage(event)).finish())
      .finish();
    eventFields.set(event, bytes);
  }
  return bytes;
}

/**
 * Cuts events into parts whose messages are at most `maxBytes` long, or hold a single event.
 *
 * @returns at least one part
 */
export function fragmentsOf(events: readonly WatchEvent[], maxBytes: number): readonly (readonly WatchEvent[])[] {
  let part: WatchEvent[] = [];
  const parts = [part];
  let bytes = 0;
  for (const event of events) {
    const { length } = eventField(event);
    if (part.length > 0 && bytes + length > maxBytes) {
      part = [];
      parts.push(part);
      bytes = 0;
    }
    part.push(event);
    bytes += length;
  }
  return parts;
}

function headBytes(head: ResponseHead): Uint8Array {
  const standard = { created: false, canceled: false, compactRevision: 0n, cancelReason: '', fragment: false };
  return WatchResponse.encode({ ...standard, ...head, events: [] }).finish();
}

/** Of a deletion etcd tells the key and the revision, which is what the record of a deletion holds. */
function eventMessage({ change, previous }: WatchEvent): Event {
  return {
    type: change.kind === 'put' ? Event_EventType.PUT : Event_EventType.DELETE,
    kv: keyValueOf(change.record),
    prevKv: previous === undefined ? undefined : keyValueOf(previous),
  };
}
