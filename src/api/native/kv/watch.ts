/** `KVService.Watch`: the keys as they are, if that is wanted, then every change; each message tells how to go on after it. */
import type { Scheduler } from '../../../base/clock';
import { QuorateError } from '../../../base/error';
import type { WatchRequest, WatchResponse } from '../../../gen/quorate/v1/kv';
import type { KvReader } from '../../../kv/result';
import type { Watch, Watches } from '../../../kv/watch';
import type { Encoded } from '../../encoded-responses';
import type { ApiLimits } from '../../limits';
import type { ReadGate } from '../../read-gate';
import type { StreamCall } from '../../server-streams';
import { isEmptyRange } from '../selection';
import { Bell } from './bell';
import { keyValueMessage } from './messages';
import { eventMessages, plainMessage, type WatchForm, type WatchMessage } from './watch-messages';
import type { WatchPosition } from './watch-position';
import { checkedWatch, type WatchWish } from './watch-request';

/** What a watch needs of a member. */
export interface WatchNeeds {
  readonly reader: Pick<KvReader, 'revision' | 'range'>;
  readonly reads: ReadGate;
  readonly watches: Watches;
  readonly scheduler: Scheduler;
  readonly limits: ApiLimits;
}

/** Most watches by this call at one time. */
export const watchLimits = { maxStreams: 20_000, maxStallMs: undefined } as const;

/** One step of a snapshot; others have their turn between steps. */
const snapshotBounds = { limit: 1000, maxBytes: 64 * 1024 } as const;

/** Events are gathered into a message up to this many bytes: what a client that reads slowly holds here. */
const batchBytes = 32 * 1024;

/** The longest message, bytes, as the schema promises. */
const maxMessageBytes = 1024 * 1024;

/** Clients that came together get their progress at different times: up to this part earlier. */
const progressJitter = 0.25;

/** One watch under way. */
interface Course {
  readonly needs: WatchNeeds;
  readonly wish: WatchWish;
  readonly form: WatchForm;
  /** Where it goes on after what was told. */
  position: WatchPosition;
}

export async function* watch(
  needs: WatchNeeds,
  request: WatchRequest,
  { signal }: Pick<StreamCall, 'signal'>,
): AsyncGenerator<Encoded<WatchResponse>, void, undefined> {
  const wish = checkedWatch(request, needs.limits.maxKeyBytes);
  const position = await startPosition(needs, wish);
  const form = { range: wish.range, keysOnly: wish.keysOnly, maxMessageBytes };
  const course: Course = { needs, wish, form, position };
  const bell = new Bell(needs.scheduler);
  const opened = needs.watches.open({ ...wish, startRevision: position.revision, onReady: () => bell.ring() });
  const ring = () => bell.ring();
  signal.addEventListener('abort', ring);
  try {
    const started = { $case: 'started', value: { startRevision: position.revision } } as const;
    yield tell(course, plainMessage(started, { form, next: position, revision: reachedBefore(course, position) }));
    yield* snapshotOf(course);
    for (;;) yield* nextMessages(course, { opened, bell, signal });
  } finally {
    signal.removeEventListener('abort', ring);
    opened.cancel();
  }
}

/** Where to begin. Returns once this member knows everything that was acknowledged before the call, if that matters. */
async function startPosition(
  { reader, reads, scheduler, limits }: WatchNeeds,
  wish: WatchWish,
): Promise<WatchPosition> {
  const call = { deadline: scheduler.now() + limits.requestTimeoutMs };
  const { start, range } = wish;
  if (typeof start === 'object') {
    if (start.snapshotKey !== undefined) await reads.reached(start.revision - 1, call);
    return start;
  }
  await reads.linearizable(call);
  return { revision: reader.revision + 1, sub: 0, snapshotKey: start === 'snapshot' ? range.start : undefined };
}

/** The rest of the snapshot, in parts. */
function* snapshotOf(course: Course): Generator<Buffer> {
  const { needs, wish, form } = course;
  for (let from = course.position.snapshotKey; from !== undefined; from = course.position.snapshotKey) {
    const range = { start: from, end: wish.range.end };
    const revision = course.position.revision - 1;
    const page = isEmptyRange(range)
      ? { records: [], more: false }
      : needs.reader.range({ ...range, ...snapshotBounds, revision, keysOnly: wish.keysOnly });
    const last = page.records.at(-1);
    const snapshotKey = page.more && last !== undefined ? Buffer.concat([last.key, Buffer.of(0)]) : undefined;
    const kvs = page.records.map((record) => keyValueMessage(record, wish.keysOnly));
    const value = { kvs, complete: snapshotKey === undefined };
    const next = { ...course.position, snapshotKey };
    yield tell(course, plainMessage({ $case: 'snapshot', value }, { form, next, revision }));
  }
}

interface Sources {
  readonly opened: Watch;
  readonly bell: Bell;
  readonly signal: AbortSignal;
}

/** What there is now; if there is nothing, waits, and tells of progress if that lasts. */
async function* nextMessages(course: Course, { opened, bell, signal }: Sources): AsyncGenerator<Buffer> {
  const batch = opened.take(batchBytes);
  if (batch === undefined) {
    const silence = course.wish.progressIntervalMs * (1 - Math.random() * progressJitter);
    const isRung = await bell.wait(silence);
    // Aborted with a QuorateError.
    signal.throwIfAborted();
    if (!isRung) yield progressOf(course, opened);
  } else if (batch.kind === 'compacted') {
    throw compacted(course.position.revision, batch.compactRevision);
  } else {
    for (const message of eventMessages(course.form, batch, course.position)) yield tell(course, message);
  }
}

function progressOf(course: Course, opened: Watch): Buffer {
  const { position, form } = course;
  // Within a revision that was split there is no progress.
  const next = opened.revision < position.revision ? position : { ...position, revision: opened.revision + 1, sub: 0 };
  const revision = reachedBefore(course, next);
  return tell(course, plainMessage({ $case: 'progress', value: {} }, { form, next, revision }));
}

/** Nobody is told that a revision was reached which has not been made yet. */
function reachedBefore({ needs }: Course, { revision }: WatchPosition): number {
  return Math.min(revision - 1, needs.reader.revision);
}

function tell(course: Course, { bytes, next }: WatchMessage): Buffer {
  course.position = next;
  return bytes;
}

function compacted(wanted: number, oldest: number): QuorateError {
  const limit = String(oldest);
  const actual = String(wanted);
  const message = `the history from revision ${actual} on is compacted: the oldest revision to watch from is ${limit}`;
  return new QuorateError('compacted', message, { details: { field: 'start_revision', limit, actual } });
}
