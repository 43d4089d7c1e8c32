/** The messages of a watch, as bytes: events are encoded once for all watches that are told of them. */
import { BinaryWriter } from '@bufbuild/protobuf/wire';
import { Event, WatchResponse } from '../../../gen/quorate/v1/kv';
import type { KeyRange } from '../../../kv/command';
import type { WatchEvent, WatchEvents } from '../../../kv/watch';
import { eventMessage, keyValueMessage } from './messages';
import { resumeToken, type WatchPosition } from './watch-position';

/** Tags of the fields that are put together of encoded parts: number and wire type. */
const tags = {
  /** `WatchResponse.events` */
  eventsMessage: (3 << 3) | 2,
  /** `WatchEvents.events` */
  event: (1 << 3) | 2,
  /** `WatchEvents.partial` */
  partial: 2 << 3,
} as const;

const wholeEvents = new WeakMap<WatchEvent, Uint8Array>();
const keyEvents = new WeakMap<WatchEvent, Uint8Array>();

/** A message and where a watch goes on after it. */
export interface WatchMessage {
  readonly bytes: Buffer;
  readonly next: WatchPosition;
}

/** What the messages of one watch have in common. */
export interface WatchForm {
  readonly range: KeyRange;
  readonly keysOnly: boolean;
  /** Most bytes of events in one message; a longer event has one of its own. */
  readonly maxMessageBytes: number;
}

/** A message that tells no events. `revision` is as in the schema. */
export function plainMessage(
  message: WatchResponse['message'],
  { form, next, revision }: { readonly form: WatchForm; readonly next: WatchPosition; readonly revision: number },
): WatchMessage {
  const token = resumeToken(form.range, next);
  return { bytes: Buffer.from(WatchResponse.encode({ message, resumeToken: token, revision }).finish()), next };
}

/** The messages of a batch, from `start` on: one, unless it is too long. */
export function* eventMessages(form: WatchForm, batch: WatchEvents, start: WatchPosition): Generator<WatchMessage> {
  const isTold = ({ change }: WatchEvent) => change.revision === start.revision && change.sub < start.sub;
  const events = batch.events.filter((event) => !isTold(event));
  let fields: Uint8Array[] = [];
  let bytes = 0;
  for (const [at, event] of events.entries()) {
    const field = eventField(event, form.keysOnly);
    const before = events[at - 1];
    if (before !== undefined && bytes + field.length > form.maxMessageBytes) {
      yield cutMessage(form, fields, { before, after: event });
      fields = [];
      bytes = 0;
    }
    fields.push(field);
    bytes += field.length;
  }
  const next = { revision: batch.revision + 1, sub: 0, snapshotKey: undefined };
  if (fields.length > 0) yield messageOf(form, { fields, next, isPartial: false });
}

/** A message that ends between two events, perhaps of one revision. */
function cutMessage(
  form: WatchForm,
  fields: readonly Uint8Array[],
  { before, after }: { readonly before: WatchEvent; readonly after: WatchEvent },
): WatchMessage {
  const isPartial = before.change.revision === after.change.revision;
  const { revision, sub } = after.change;
  const next = isPartial ? { revision, sub } : { revision: before.change.revision + 1, sub: 0 };
  return messageOf(form, { fields, next: { ...next, snapshotKey: undefined }, isPartial });
}

function messageOf(
  form: WatchForm,
  { fields, next, isPartial }: { readonly fields: readonly Uint8Array[]; next: WatchPosition; isPartial: boolean },
): WatchMessage {
  const partial = isPartial ? new BinaryWriter().uint32(tags.partial).bool(true).finish() : Buffer.alloc(0);
  const length = fields.reduce((sum, field) => sum + field.length, partial.length);
  const head = new BinaryWriter().uint32(tags.eventsMessage).uint32(length).finish();
  const { bytes } = plainMessage(undefined, { form, next, revision: next.revision - 1 });
  return { bytes: Buffer.concat([head, ...fields, partial, bytes]), next };
}

/** The event as one element of the field `events`. */
function eventField(event: WatchEvent, keysOnly: boolean): Uint8Array {
  const cache = keysOnly ? keyEvents : wholeEvents;
  let bytes = cache.get(event);
  if (bytes === undefined) {
    const { change, previous } = event;
    const message = eventMessage(change, keysOnly);
    if (previous !== undefined) message.previous = keyValueMessage(previous, keysOnly);
    bytes = new BinaryWriter().uint32(tags.event).bytes(Event.encode(message).finish()).finish();
    cache.set(event, bytes);
  }
  return bytes;
}
