/** One stream of etcd's Watch service: many watches, whose events and answers share one connection. */
import { assert } from '../../base/assert';
import type { Scheduler, Timer } from '../../base/clock';
import { QuorateError } from '../../base/error';
import type { WatchCreateRequest, WatchRequest, WatchResponse } from '../../gen/etcd/etcdserverpb/watch';
import type { KvReader } from '../../kv/result';
import type { Watch, WatchEvents, Watches } from '../../kv/watch';
import type { DuplexPort, DuplexSession } from '../duplex-streams';
import type { Encoded } from '../encoded-responses';
import { headerOf, type HeaderFacts } from './header';
import { type EventMessages, fragmentsOf, type ResponseHead, responseBytes } from './watch-messages';
import { watchRefusals, watchRequestOf } from './watch-requests';

/** What a stream needs of a member. */
export interface WatchSessionNeeds {
  readonly facts: HeaderFacts;
  readonly reader: Pick<KvReader, 'revision'>;
  readonly watches: Watches;
  readonly scheduler: Pick<Scheduler, 'after'>;
  /** A watch with `progress_notify` to which nothing was sent for this long is told how far it is; milliseconds. */
  readonly watchProgressIntervalMs: number;
  readonly watchLimits: WatchSessionLimits;
  /** Shared by all streams. */
  readonly eventMessages: EventMessages;
}

/** The bounds of a stream. */
export interface WatchSessionLimits {
  /** Events are put into one message up to this many bytes; a revision with more makes a longer one. */
  readonly maxMessageBytes: number;
  /** A longer message is cut for watches that allow it (`fragment`). */
  readonly maxFragmentBytes: number;
  /** Answers that wait to be sent, from which on no more requests are read. */
  readonly maxReplies: number;
}

/** A watch of this stream. */
interface StreamWatch {
  readonly id: bigint;
  readonly watch: Watch;
  readonly tellsProgress: boolean;
  readonly mayFragment: boolean;
  /** Something was sent since the last look for silent watches. */
  hasSpoken: boolean;
}

/** The id of no watch: of one that could not begin, and of progress that is that of all watches. */
const noWatchId = -1n;

/** So many ids of ended watches are kept, at most. */
const maxEndedIds = 1000;

/** A member's clients began at different times; those that came together drift apart by up to this part. */
const progressJitter = 0.1;

/** Answers go before events, so that a watch is known before its first event. Each watch with events has its turn. */
export class WatchSession implements DuplexSession<WatchRequest> {
  readonly #port: DuplexPort<Encoded<WatchResponse>>;
  readonly #needs: WatchSessionNeeds;
  readonly #watches = new Map<bigint, StreamWatch>();
  /** Of watches that were ended because of a compaction: taken until the client cancels them, too. The newest ones. */
  readonly #endedIds = new Set<bigint>();
  /** Watches that may have something, in the order of their turns. */
  readonly #ready = new Set<StreamWatch>();
  readonly #replies: Buffer[] = [];
  /** Requests for progress that wait until all watches are up to date. */
  #progressRequests = 0;
  #nextId = 0n;
  #progressTimer: Timer | undefined;

  constructor(port: DuplexPort<Encoded<WatchResponse>>, needs: WatchSessionNeeds) {
    this.#port = port;
    this.#needs = needs;
  }

  onRequest({ requestUnion: request }: WatchRequest): void {
    switch (request?.$case) {
      case 'createRequest':
        this.#create(request.value);
        break;
      case 'cancelRequest':
        this.#cancel(request.value.watchId);
        break;
      case 'progressRequest':
        this.#progressRequests++;
        break;
      case undefined:
        // etcd ignores what it does not know.
        break;
    }
    this.onWritable();
  }

  onRequestsEnd(): void {
    this.#port.end();
  }

  onClosed(): void {
    this.#progressTimer?.cancel();
    for (const { watch } of this.#watches.values()) watch.cancel();
    this.#watches.clear();
    this.#ready.clear();
  }

  /** Sends what there is, as long as there is room. */
  onWritable(): void {
    while (this.#port.isWritable) {
      const reply = this.#replies.shift();
      if (reply !== undefined) this.#write(reply);
      else if (!this.#writeEvents()) break;
    }
    if (this.#replies.length < this.#needs.watchLimits.maxReplies) this.#port.resumeRequests();
    else this.#port.pauseRequests();
  }

  #create(request: WatchCreateRequest): void {
    const { reader } = this.#needs;
    const opened = this.#open(request);
    const refusal = { watchId: noWatchId, created: true, canceled: true } as const;
    if (typeof opened === 'string') this.#reply(reader.revision, { ...refusal, cancelReason: opened });
    else this.#reply(reader.revision, { watchId: opened.id, created: true });
  }

  #open(request: WatchCreateRequest): StreamWatch | string {
    const wanted = watchRequestOf(request);
    if (typeof wanted === 'string') return wanted;
    if (request.watchId !== 0n && this.#isTaken(request.watchId)) return watchRefusals.duplicateId;
    const onReady = (): void => {
      this.#ready.add(opened);
      this.onWritable();
    };
    const watch = this.#openWatch({ ...wanted, onReady });
    if (watch === undefined) return watchRefusals.tooMany;
    const id = request.watchId === 0n ? this.#newId() : request.watchId;
    const { progressNotify: tellsProgress, fragment: mayFragment } = request;
    const opened: StreamWatch = { id, watch, tellsProgress, mayFragment, hasSpoken: true };
    this.#watches.set(id, opened);
    this.#ready.add(opened);
    if (tellsProgress) this.#progressTimer ??= this.#startProgress();
    return opened;
  }

  #openWatch(request: Parameters<Watches['open']>[0]): Watch | undefined {
    try {
      return this.#needs.watches.open(request);
    } catch (error) {
      if (error instanceof QuorateError && error.code === 'overloaded') return undefined;
      throw error;
    }
  }

  #newId(): bigint {
    while (this.#isTaken(this.#nextId)) this.#nextId++;
    return this.#nextId++;
  }

  #isTaken(id: bigint): boolean {
    return this.#watches.has(id) || this.#endedIds.has(id);
  }

  #cancel(id: bigint): void {
    const opened = this.#watches.get(id);
    if (opened !== undefined) this.#forget(opened);
    else if (!this.#endedIds.delete(id)) return;
    this.#reply(this.#needs.reader.revision, { watchId: id, canceled: true });
  }

  #forget(opened: StreamWatch): void {
    opened.watch.cancel();
    this.#watches.delete(opened.id);
    this.#ready.delete(opened);
  }

  /** Sends the next events of the watch whose turn it is, or progress. False if there is nothing. */
  #writeEvents(): boolean {
    for (const opened of this.#ready) {
      this.#ready.delete(opened);
      const batch = opened.watch.take(this.#needs.watchLimits.maxMessageBytes);
      if (batch === undefined) continue;
      if (batch.kind === 'compacted') this.#endCompacted(opened, batch.compactRevision);
      else this.#writeBatch(opened, batch);
      return true;
    }
    return this.#writeProgress();
  }

  #writeBatch(opened: StreamWatch, { events, revision }: WatchEvents): void {
    this.#goOn(opened);
    opened.hasSpoken = true;
    const head = { header: headerOf(this.#needs.facts, revision), watchId: opened.id };
    const whole = this.#needs.eventMessages.bytesOf(head, events);
    const { maxFragmentBytes } = this.#needs.watchLimits;
    if (!opened.mayFragment || whole.length < maxFragmentBytes) {
      this.#write(whole);
      return;
    }
    const parts = fragmentsOf(events, maxFragmentBytes);
    parts.forEach((part, at) => {
      this.#write(responseBytes({ ...head, fragment: at < parts.length - 1 }, part));
    });
  }

  /** What comes for a watch that has everything waits until it is called, and not only until the others had their turns. */
  #goOn(opened: StreamWatch): void {
    if (!opened.watch.isSynced) {
      this.#ready.add(opened);
      return;
    }
    // Asked for more, it calls when there is some.
    const more = opened.watch.take(0);
    assert(more === undefined, 'a watch that has everything has nothing to take');
  }

  #endCompacted(opened: StreamWatch, compactRevision: number): void {
    this.#forget(opened);
    this.#endedIds.add(opened.id);
    const [oldest] = this.#endedIds;
    if (this.#endedIds.size > maxEndedIds && oldest !== undefined) this.#endedIds.delete(oldest);
    const end = { watchId: opened.id, canceled: true, compactRevision: BigInt(compactRevision) };
    this.#write(responseBytes({ ...end, header: headerOf(this.#needs.facts, 0) }));
  }

  /**
   * Answers requests for progress once every watch has been told of everything: then the store's revision is a bookmark
   * for all of them. As etcd, gives no answer while a watch waits for a revision that is yet to be made.
   */
  #writeProgress(): boolean {
    if (this.#progressRequests === 0) return false;
    const { revision } = this.#needs.reader;
    for (const { watch } of this.#watches.values()) {
      if (watch.startRevision > revision + 1) this.#progressRequests = 0;
      else if (!watch.isSynced) return false;
    }
    if (this.#progressRequests === 0) return false;
    this.#progressRequests--;
    this.#write(responseBytes({ header: headerOf(this.#needs.facts, revision), watchId: noWatchId }));
    return true;
  }

  #startProgress(): Timer {
    const { scheduler, watchProgressIntervalMs } = this.#needs;
    return scheduler.after(watchProgressIntervalMs * (1 + Math.random() * progressJitter), () => {
      this.#progressTimer = this.#startProgress();
      this.#tellSilentWatches();
    });
  }

  /** A client that does not even take the answers is told nothing more. */
  #tellSilentWatches(): void {
    const hasRoom = this.#replies.length === 0;
    const { revision } = this.#needs.reader;
    for (const opened of this.#watches.values()) {
      const { watch, id, hasSpoken, tellsProgress } = opened;
      opened.hasSpoken = false;
      const isBookmark = watch.isSynced && watch.startRevision <= revision + 1;
      if (hasRoom && tellsProgress && !hasSpoken && isBookmark) this.#reply(revision, { watchId: id });
    }
    this.onWritable();
  }

  #reply(revision: number, head: Omit<ResponseHead, 'header'>): void {
    this.#replies.push(responseBytes({ ...head, header: headerOf(this.#needs.facts, revision) }));
  }

  #write(bytes: Buffer): void {
    this.#port.write(bytes, bytes.length);
  }
}
