/** Watches: changes of keys in order, none missing, none twice, over any number of broken connections. */
import { QuorateError } from '../base/error';
import { EventType, KVServiceService, type WatchRequest, type WatchResponse } from '../gen/quorate/v1/kv';
import type { Caller } from './caller';
import { fromWireEvent, fromWireKeyValue, toWireDuration, toWireSelection, wellFormed } from './convert';
import { ResumingStream } from './resuming-stream';
import { realSurroundings } from './surroundings';
import type { KeyEvent, KeyValue, Selection } from './types';

/** How to watch. */
export interface WatchOptions {
  /** Tell the changes of this revision and later ones; it may be in the future. Default: those after the watch began. */
  readonly startRevision?: number;
  /** Begin with the keys as they are, then tell what happens after: nothing is missed in between. */
  readonly snapshot?: boolean;
  /** The `resumeToken` of a message of an earlier watch of the same keys: goes on just after it. */
  readonly resumeToken?: string;
  /** Leave out events of these types. */
  readonly omit?: readonly KeyEvent['type'][];
  /** Tell also how keys were before. */
  readonly returnPrevious?: boolean;
  /** Leave the values out. */
  readonly keysOnly?: boolean;
  /** A progress message comes when nothing else did for this long, milliseconds, 100 or more. Default 10,000. */
  readonly progressIntervalMs?: number;
  /** Time for the watch to begin, with all attempts, milliseconds. Default: the client's. */
  readonly timeoutMs?: number;
  /** How long to look for a member that goes on with it before that is an error, milliseconds. Default 600,000. */
  readonly giveUpAfterMs?: number;
}

/** One message of a watch. */
export type WatchMessage = WatchContent & {
  /** Goes on after this message, in this or another program. */
  readonly resumeToken: string;
  /** Everything up to this revision, inclusive, was told; while a snapshot is sent, the revision it is of. */
  readonly revision: number;
};

/** What a message tells. */
export type WatchContent =
  /** Keys as they are, ascending; `isComplete` with the last part, after which events follow. */
  | { readonly kind: 'snapshot'; readonly kvs: readonly KeyValue[]; readonly isComplete: boolean }
  /** Changes in the order in which they happened; `isPartial` if more of the last revision follow in the next message. */
  | { readonly kind: 'events'; readonly events: readonly KeyEvent[]; readonly isPartial: boolean }
  /** Nothing but that everything up to `revision` was told. */
  | { readonly kind: 'progress' };

const defaultProgressIntervalMs = 10_000;
const defaultGiveUpAfterMs = 600_000;

/** A member that sent nothing, not even progress, for so many intervals is lost; and at least so long. */
const silentIntervals = 3;
const leastSilenceMs = 2_000;

/**
 * A watch that has begun. Iterate it once; it reads no faster than it is iterated. When a connection breaks, it goes on with
 * another member just after the last message. The iteration ends when it is left or cancelled, and throws a `QuorateError`
 * when the watch cannot go on: `compacted` (the history it needs is gone: begin anew with `snapshot`) or, after
 * `giveUpAfterMs`, whatever kept it from a member.
 */
export class Watch implements AsyncIterable<WatchMessage> {
  /** The first revision whose changes are told as events. */
  readonly startRevision: number;
  readonly #parts: WatchParts;

  constructor(startRevision: number, parts: WatchParts) {
    this.startRevision = startRevision;
    this.#parts = parts;
  }

  /** Goes on after the last message that was taken, in this or another program. */
  get resumeToken(): string {
    return this.#parts.position.resumeToken;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<WatchMessage, void, undefined> {
    const { stream, position } = this.#parts;
    try {
      for (let response = await stream.next(); response !== undefined; response = await stream.next()) {
        const { resumeToken, revision } = response;
        position.resumeToken = resumeToken;
        const content = contentOf(response);
        if (content !== undefined) yield { ...content, resumeToken, revision };
      }
    } finally {
      this.cancel();
    }
  }

  /** Ends the watch, and with it the iteration. */
  cancel(): void {
    this.#parts.cancel();
  }
}

/** What a watch is made of. */
interface WatchParts {
  readonly stream: ResumingStream<WatchResponse>;
  readonly position: { resumeToken: string };
  cancel(): void;
}

/**
 * Begins a watch. Of changes acknowledged after this resolves none is missed.
 *
 * @throws QuorateError `compacted` or `invalid-argument`; or when no member began it in time
 */
export async function beginWatch(
  caller: Pick<Caller, 'open' | 'options' | 'onClose'>,
  keys: string | Selection,
  options: WatchOptions = {},
): Promise<Watch> {
  const request = toWatchRequest(keys, options);
  const position = { resumeToken: options.resumeToken ?? '' };
  const { timeoutMs = caller.options.timeoutMs } = options;
  const open = () => caller.open(KVServiceService.watch, resumed(request, position.resumeToken), { timeoutMs });
  const live = await open();
  const { first } = live;
  if (first?.message?.$case !== 'started') {
    live.cancel();
    throw new QuorateError('unreachable', 'a member began a watch in a way that this client does not understand');
  }
  position.resumeToken = first.resumeToken;
  const stream = new ResumingStream(live, {
    open,
    maxSilenceMs: Math.max(leastSilenceMs, silentIntervals * (options.progressIntervalMs ?? defaultProgressIntervalMs)),
    giveUpAfterMs: options.giveUpAfterMs ?? defaultGiveUpAfterMs,
    maxBackoffMs: caller.options.maxBackoffMs,
    surroundings: realSurroundings,
  });
  return new Watch(first.message.value.startRevision, { stream, position, cancel: cancelling(caller, stream) });
}

/** Cancels a stream, once; also when the client is closed. */
export function cancelling(caller: Pick<Caller, 'onClose'>, stream: { cancel(): void }): () => void {
  const forget = caller.onClose(() => {
    stream.cancel();
  });
  return () => {
    forget();
    stream.cancel();
  };
}

function toWatchRequest(keys: string | Selection, options: WatchOptions): WatchRequest {
  const { progressIntervalMs } = options;
  return {
    selection: typeof keys === 'string' ? { $case: 'key', value: wellFormed('key', keys) } : toWireSelection(keys),
    startRevision: options.startRevision ?? 0,
    snapshot: options.snapshot ?? false,
    resumeToken: '',
    omit: (options.omit ?? []).map((type) => (type === 'put' ? EventType.PUT : EventType.DELETE)),
    returnPrevious: options.returnPrevious ?? false,
    keysOnly: options.keysOnly ?? false,
    progressInterval: progressIntervalMs === undefined ? undefined : toWireDuration(progressIntervalMs),
  };
}

/** A token knows where to begin. */
function resumed(request: WatchRequest, resumeToken: string): WatchRequest {
  return resumeToken === '' ? request : { ...request, startRevision: 0, resumeToken };
}

/** `undefined` for what is not for the user: the beginning of a stream, or a kind that a newer member made up. */
function contentOf({ message }: WatchResponse): WatchContent | undefined {
  switch (message?.$case) {
    case 'snapshot':
      return { kind: 'snapshot', kvs: message.value.kvs.map(fromWireKeyValue), isComplete: message.value.complete };
    case 'events':
      return { kind: 'events', events: message.value.events.map(fromWireEvent), isPartial: message.value.partial };
    case 'progress':
      return { kind: 'progress' };
    case 'started':
    case undefined:
      return undefined;
  }
}
