/** One server's end of a watch session: what each watch of the stream was told, and whether it was told properly. */
import type { Client, ClientDuplexStream, ServiceError } from '@grpc/grpc-js';
import type { Event } from '../../../src/gen/etcd/mvccpb/kv';
import {
  type WatchCreateRequest,
  WatchCreateRequest_FilterType,
  type WatchRequest,
  type WatchResponse,
  WatchService,
} from '../../../src/gen/etcd/etcdserverpb/watch';

/** No answer is waited for longer, ms: before it there may be a whole history, large values and all, in one message of etcd's. */
const patienceMs = 60_000;
/** What is longer comes in parts to watches that allow it, bytes: the largest message that etcd takes. */
const longestMessage = 2 * 1024 * 1024;
/** No store ever gets so far: such a watch waits for ever. */
const unreachableRevision = 2n ** 31n;

/** One watch of a stream. */
interface Watch {
  readonly create: WatchCreateRequest;
  readonly created: WatchResponse;
  readonly events: Event[];
  /** Ended by the server. */
  canceled: WatchResponse | undefined;
  /** Whether the last response was a part of one, and not the last one. */
  isInFragment: boolean;
  /** Responses that were. */
  fragments: number;
}

export class WatchStream {
  /** What was not as it has to be, whatever the other server tells: W1, W2 and W4. */
  readonly violations: string[] = [];
  readonly #server: string;
  readonly #stream: ClientDuplexStream<WatchRequest, WatchResponse>;
  readonly #translate: (response: WatchResponse) => WatchResponse;
  readonly #watches: Watch[] = [];
  /** Answers to progress and cancel requests. */
  readonly #replies: WatchResponse[] = [];
  /** Asked for and not yet answered. */
  #creating: WatchCreateRequest | undefined;
  #ended: string | undefined;
  #waiting: (() => void) | undefined;

  constructor(server: string, client: Client, translate: (response: WatchResponse) => WatchResponse) {
    this.#server = server;
    this.#translate = translate;
    const { path, requestSerialize, responseDeserialize } = WatchService.watch;
    this.#stream = client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize);
    this.#stream.on('data', (response: WatchResponse) => this.#receive(response));
    this.#stream.on('error', ({ code, details }: ServiceError) => this.#end(`${code}: ${details}`));
    this.#stream.on('end', () => this.#end('ended'));
  }

  /** Creates a watch and waits for the answer. */
  async create(create: WatchCreateRequest): Promise<void> {
    this.#creating = create;
    this.#stream.write({ requestUnion: { $case: 'createRequest', value: create } });
    await this.#until('answer to a create request', () => (this.#creating === undefined ? true : undefined));
  }

  get watchCount(): number {
    return this.#watches.length;
  }

  get eventCount(): number {
    return this.#watches.reduce((sum, { events }) => sum + events.length, 0);
  }

  get previousCount(): number {
    return this.#watches.reduce((sum, { events }) => sum + events.filter((it) => it.prevKv !== undefined).length, 0);
  }

  get filteredCount(): number {
    return this.#watches.filter(({ create }) => create.filters.length > 0).length;
  }

  get fragmentCount(): number {
    return this.#watches.reduce((sum, { fragments }) => sum + fragments, 0);
  }

  /**
   * Whether the question for progress has an answer: to etcd 3.4 always, later and here only if no watch waits for a revision
   * that is yet to be made.
   */
  get tellsProgress(): boolean {
    return this.live.length > 0 && !this.live.some(isWaiting);
  }

  /** The watches that still tell events. */
  get live(): readonly WatchCreateRequest[] {
    return this.#watches.filter((watch) => isLive(watch)).map(({ create }) => create);
  }

  /**
   * Waits until each live watch was told of the last changes, or was ended by the server.
   *
   * @param last the revisions of a put and then a delete within each watch's range
   */
  async caughtUp(last: { readonly put: bigint; readonly delete: bigint }): Promise<void> {
    const isBehind = (watch: Watch): boolean => {
      if (!isLive(watch) || isMute(watch.create) || isWaiting(watch.create)) return false;
      const awaited = watch.create.filters.includes(WatchCreateRequest_FilterType.NODELETE) ? last.put : last.delete;
      return (watch.events.at(-1)?.kv?.modRevision ?? 0n) < awaited;
    };
    await this.#until(`events up to ${last.delete}`, () => (this.#watches.some(isBehind) ? undefined : true));
  }

  /** Asks how far all watches are. */
  async progress(): Promise<WatchResponse> {
    this.#stream.write({ requestUnion: { $case: 'progressRequest', value: {} } });
    return this.#reply('a progress', ({ created, canceled }) => !created && !canceled);
  }

  /** Cancels every watch, also those that the server has ended; the last to be created first, and before it one that is not there. */
  async cancelAll(): Promise<readonly WatchResponse[]> {
    const answers: WatchResponse[] = [];
    this.#stream.write({ requestUnion: { $case: 'cancelRequest', value: { watchId: 1_000_000n } } });
    for (const { created } of this.#watches.filter((watch) => !watch.created.canceled).reverse()) {
      const { watchId } = created;
      this.#stream.write({ requestUnion: { $case: 'cancelRequest', value: { watchId } } });
      answers.push(await this.#reply('an answer to a cancel request', (it) => it.canceled && it.watchId === watchId));
    }
    return answers;
  }

  /** Leaves, as clients do. How a server ends a stream that its client has half-closed is not compared: etcd never does. */
  leave(): void {
    this.#stream.cancel();
  }

  /** What each watch was told, in the order of creation; then answers that nobody asked for. */
  accounts(): readonly unknown[] {
    const told = this.#watches.map(({ create, created, canceled, events, fragments }) => {
      // Of what comes from the history, etcd puts many revisions into one response, and cuts that.
      const parts = create.startRevision === 0n ? { fragments } : {};
      return { created, canceled, events, ...parts };
    });
    return [...told, ...this.#replies];
  }

  #receive(raw: WatchResponse): void {
    const response = this.#translate(raw);
    if (response.created) this.#created(response);
    else if (response.events.length > 0) this.#events(response);
    else if (response.canceled && response.compactRevision > 0n) this.#canceled(response);
    else this.#replies.push(response);
    this.#waiting?.();
  }

  #created(created: WatchResponse): void {
    if (this.#creating === undefined) {
      this.#violated('created', 'nobody asked');
      return;
    }
    const heard = { events: [], canceled: undefined, isInFragment: false, fragments: 0 };
    this.#watches.push({ create: this.#creating, created, ...heard });
    this.#creating = undefined;
  }

  #canceled(response: WatchResponse): void {
    const watch = this.#watches.find((it) => it.created.watchId === response.watchId && isLive(it));
    if (watch === undefined) this.#violated('canceled', `there is no watch ${response.watchId}`);
    else watch.canceled = response;
  }

  #events(response: WatchResponse): void {
    const watch = this.#watches.find((it) => it.created.watchId === response.watchId && isLive(it));
    if (watch === undefined) {
      this.#violated('events', `there is no watch ${response.watchId}`);
      return;
    }
    const revisions = response.events.map(({ kv }) => kv?.modRevision ?? 0n);
    const before = watch.events.at(-1)?.kv?.modRevision ?? 0n;
    const ascending = [before, ...revisions].every((revision, at, all) => at === 0 || revision >= (all[at - 1] ?? 0n));
    if (!ascending) this.#violated('W1', `${before} is followed by ${revisions.join(' ')}`);
    if (revisions[0] === before && !watch.isInFragment) this.#violated('W4', `revision ${before} is split`);
    const newest = revisions.at(-1) ?? 0n;
    if ((response.header?.revision ?? 0n) < newest) this.#violated('header', `is below its events' revision ${newest}`);
    this.#checkLength(watch, response);
    watch.isInFragment = response.fragment;
    if (response.fragment) watch.fragments++;
    watch.events.push(...response.events);
  }

  #checkLength({ create }: Watch, { fragment, events }: WatchResponse): void {
    if (!create.fragment && fragment) this.#violated('fragment', 'nobody asked for parts');
    if (!create.fragment || events.length < 2) return;
    const bytes = events.reduce((sum, event) => sum + bytesOf(event), 0);
    if (bytes > longestMessage) this.#violated('fragment', `${bytes} bytes come in one part`);
  }

  #violated(rule: string, sentence: string): void {
    this.violations.push(`${this.#server}: ${rule}: ${sentence}`);
  }

  #end(how: string): void {
    this.#ended ??= how;
    this.#waiting?.();
  }

  /** Takes the first reply that fits. */
  #reply(what: string, fits: (response: WatchResponse) => boolean): Promise<WatchResponse> {
    return this.#until(what, () => {
      const at = this.#replies.findIndex(fits);
      return at < 0 ? undefined : this.#replies.splice(at, 1)[0];
    });
  }

  /** Waits for something that a response brings. */
  async #until<T>(what: string, look: () => T | undefined): Promise<T> {
    const giveUpAt = performance.now() + patienceMs;
    for (;;) {
      const found = look();
      if (found !== undefined) return found;
      const leftMs = giveUpAt - performance.now();
      if (leftMs <= 0 || this.#ended !== undefined) {
        throw new Error(`${this.#server}: no ${what}; the stream ${this.#ended ?? 'is open'}`);
      }
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, leftMs);
        this.#waiting = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }
}

function isLive({ created, canceled }: Watch): boolean {
  return !created.canceled && canceled === undefined;
}

/** True if the filters let nothing through. */
function isMute({ filters }: WatchCreateRequest): boolean {
  const { NOPUT, NODELETE } = WatchCreateRequest_FilterType;
  return filters.includes(NOPUT) && filters.includes(NODELETE);
}

export function isWaiting({ startRevision }: WatchCreateRequest): boolean {
  return startRevision >= unreachableRevision;
}

/** Of keys and values, without what is around them. */
function bytesOf({ kv, prevKv }: Event): number {
  return [kv, prevKv].reduce((sum, pair) => sum + (pair === undefined ? 0 : pair.key.length + pair.value.length), 0);
}
