/** What a client of `quorate.v1.KVService.Watch` is told, message by message, and how it goes on elsewhere. */
import { watch } from '../../../../../src/api/native/kv/watch';
import type { ReadGate } from '../../../../../src/api/read-gate';
import { stopping } from '../../../../../src/api/call-ends';
import { type Event, EventType, WatchRequest, WatchResponse } from '../../../../../src/gen/quorate/v1/kv';
import { defaultWatchHubOptions, WatchHub, type WatchHubOptions } from '../../../../../src/kv/watch-hub';
import { FakeHistory } from '../../../../support/fake-history';
import { VirtualTime } from '../../../../support/virtual-time';

const put = (key: string, value = 'v') => ({ key, value });
const del = (key: string) => ({ key });
const limits = { maxKeyBytes: 100, requestTimeoutMs: 1000 } as never;

/** More than fit into one part of a snapshot. */
const manyKeys = Array.from({ length: 1100 }, (_, at) => put(`k${String(at).padStart(4, '0')}`));

/** A request with nothing set but this. */
const requestOf = (more: Partial<WatchRequest>): WatchRequest => ({ ...WatchRequest.decode(Buffer.alloc(0)), ...more });

function member(more: Partial<WatchHubOptions> = {}) {
  const history = new FakeHistory();
  const time = new VirtualTime();
  const hub = new WatchHub({ reader: history, scheduler: time, options: { ...defaultWatchHubOptions, ...more } });
  history.listener = hub;
  const barriers: string[] = [];
  const reads = {
    linearizable: () => Promise.resolve(void barriers.push('linearizable')),
    reached: (revision: number) => Promise.resolve(void barriers.push(`reached ${String(revision)}`)),
  } as unknown as ReadGate;
  const begin = (request: Partial<WatchRequest> = {}) => {
    const aborting = new AbortController();
    const needs = { reader: history, reads, watches: hub, scheduler: time, limits };
    return new Reading(time, aborting, watch(needs, requestOf(request), { signal: aborting.signal }));
  };
  return { history, time, hub, barriers, begin };
}

/** A client that takes one message at a time. */
class Reading {
  readonly #time: VirtualTime;
  readonly #aborting: AbortController;
  readonly #stream: AsyncGenerator<WatchResponse | Buffer, void, undefined>;
  #next: Promise<IteratorResult<WatchResponse | Buffer, void>> | undefined;
  token = '';

  constructor(time: VirtualTime, aborting: AbortController, stream: AsyncGenerator<WatchResponse | Buffer, void>) {
    this.#time = time;
    this.#aborting = aborting;
    this.#stream = stream;
  }

  /** Everything that comes within so many milliseconds, in words. */
  async told(ms = 0, most = 100): Promise<readonly string[]> {
    const messages: string[] = [];
    while (messages.length < most) {
      const message = await this.#take(ms);
      if (message === undefined) break;
      messages.push(inWords(message));
      this.token = message.resumeToken;
    }
    return messages;
  }

  abort(reason: Error): void {
    this.#aborting.abort(reason);
  }

  async #take(ms: number): Promise<WatchResponse | undefined> {
    this.#next ??= this.#stream.next();
    let result: IteratorResult<WatchResponse | Buffer, void> | undefined;
    let failure: unknown;
    void this.#next.then(
      (value) => (result = value),
      (error: unknown) => (failure = error),
    );
    await this.#time.pass(ms);
    if (failure !== undefined) throw failure as Error;
    if (result === undefined || result.done === true) return undefined;
    this.#next = undefined;
    return Buffer.isBuffer(result.value) ? WatchResponse.decode(result.value) : result.value;
  }
}

/** A message in words: what it is, its events or keys, `|` and the revision. */
function inWords({ message, revision }: WatchResponse): string {
  const body = (): string => {
    switch (message?.$case) {
      case 'started':
        return `from ${String(message.value.startRevision)}`;
      case 'snapshot':
        return `keys ${message.value.kvs.map(({ key }) => key).join(' ')}${message.value.complete ? '.' : ''}`;
      case 'events':
        return message.value.events.map(eventInWords).join(' ') + (message.value.partial ? ' ...' : '');
      case 'progress':
        return 'progress';
      case undefined:
        return 'nothing';
    }
  };
  return `${body()} |${String(revision)}`;
}

function eventInWords({ type, kv, previous }: Event): string {
  const valueOf = (one: Event['kv']) => (one?.value === undefined ? '' : `=${String(one.value.value)}`);
  const what = `${String(kv?.modRevision)}:${String(kv?.key)}${type === EventType.PUT ? valueOf(kv) : '-'}`;
  return previous === undefined ? what : `${what}(${valueOf(previous)})`;
}

describe('KVService.Watch', () => {
  it('begins after everything that was acknowledged before the call', async () => {
    const { history, barriers, begin } = member();
    history.commit([put('a')]);
    const reading = begin();
    expect(await reading.told()).toEqual(['from 3 |2']);
    expect(barriers).toEqual(['linearizable']);
    history.commit([put('b', '1')], [put('b', '2'), del('a')]);
    expect(await reading.told()).toEqual(['3:b=1 4:b=2 4:a- |4']);
  });

  it('watches one key, a prefix, a range', async () => {
    const { history, begin } = member();
    const key = begin({ selection: { $case: 'key', value: 'b' } });
    const prefix = begin({ selection: { $case: 'prefix', value: 'b' } });
    const range = begin({ selection: { $case: 'range', value: { start: 'b', end: 'c' } } });
    for (const reading of [key, prefix, range]) await reading.told();
    history.commit([put('a'), put('b'), put('bb'), put('c')]);
    expect(await key.told()).toEqual(['2:b=v |2']);
    expect(await prefix.told()).toEqual(['2:b=v 2:bb=v |2']);
    expect(await range.told()).toEqual(['2:b=v 2:bb=v |2']);
  });

  it('begins at a revision, past or future, without asking anyone', async () => {
    const { history, barriers, begin } = member();
    history.commit([put('a')], [put('b')]);
    const past = begin({ startRevision: 3 });
    const future = begin({ startRevision: 5 });
    expect(await past.told()).toEqual(['from 3 |2', '3:b=v |3']);
    expect(await future.told()).toEqual(['from 5 |3']);
    expect(barriers).toEqual([]);
    history.commit([put('c')], [put('d')]);
    expect(await future.told()).toEqual(['5:d=v |5']);
  });

  it('tells a snapshot in parts, then exactly what came after it', async () => {
    const { history, begin } = member();
    history.commit(manyKeys);
    const reading = begin({ snapshot: true });
    const [started, part] = await reading.told(0, 2);
    expect(started).toBe('from 3 |2');
    expect(part?.match(/k\d+/g)).toHaveLength(1000);
    history.commit([put('k0000', 'late')], [put('k9999', 'late')]);
    const [last, events] = await reading.told();
    expect(last?.match(/k\d+/g)).toHaveLength(100);
    expect(last).toMatch(/k1099\. \|2$/);
    expect(events).toBe('3:k0000=late 4:k9999=late |4');
  });

  it('resumes a snapshot where it was, on another member, at the same revision', async () => {
    const { history, barriers, begin } = member();
    history.commit(manyKeys);
    const first = begin({ snapshot: true });
    await first.told(0, 2);
    history.commit([del('k1050')], [put('x')]);
    const second = begin({ resumeToken: first.token });
    const [started, part, events] = await second.told();
    expect(started).toBe('from 3 |2');
    expect(part?.match(/k\d+/g)).toHaveLength(100);
    expect(events).toBe('3:k1050- 4:x=v |4');
    expect(barriers).toEqual(['linearizable', 'reached 2']);
  });

  it('has a snapshot without keys, and of a range without keys', async () => {
    const { begin } = member();
    expect(await begin({ snapshot: true }).told()).toEqual(['from 2 |1', 'keys . |1']);
    const selection = { $case: 'range', value: { start: 'b', end: 'a' } } as const;
    expect(await begin({ snapshot: true, selection }).told()).toEqual(['from 2 |1', 'keys . |1']);
  });

  it('resumes just after any message, missing nothing and repeating nothing', async () => {
    const { history, begin } = member();
    const first = begin();
    await first.told();
    history.commit([put('a')]);
    await first.told();
    history.commit([put('b')], [put('c')]);
    const second = begin({ resumeToken: first.token });
    expect(await second.told()).toEqual(['from 3 |2', '3:b=v 4:c=v |4']);
    expect(await begin({ resumeToken: second.token }).told()).toEqual(['from 5 |4']);
  });

  it('splits a revision that is too long for a message, and resumes within it', async () => {
    const { history, begin } = member();
    const long = 'x'.repeat(400_000);
    history.commit([put('a', long), put('b', long), put('c', long), put('d', long)], [put('e')]);
    const brief = (messages: readonly string[]) => messages.map((message) => message.replaceAll(long, 'x'));
    const first = begin({ startRevision: 2 });
    expect(brief(await first.told(0, 2))).toEqual(['from 2 |1', '2:a=x 2:b=x ... |1']);
    const { token } = first;
    expect(brief(await first.told())).toEqual(['2:c=x 2:d=x |2', '3:e=v |3']);
    expect(brief(await begin({ resumeToken: token }).told())).toEqual(['from 2 |1', '2:c=x 2:d=x |2', '3:e=v |3']);
  });

  it('leaves out what is not wanted', async () => {
    const { history, begin } = member();
    const puts = begin({ omit: [EventType.DELETE], keysOnly: true, returnPrevious: true });
    const deletes = begin({ omit: [EventType.PUT], returnPrevious: true });
    for (const reading of [puts, deletes]) await reading.told();
    history.commit([put('a', '1')], [put('a', '2')], [del('a')]);
    expect(await puts.told()).toEqual(['2:a 3:a() |4']);
    expect(await deletes.told()).toEqual(['4:a-(=2) |4']);
  });

  it('tells of progress when it was silent, also of what others write', async () => {
    const { history, time, begin } = member();
    const reading = begin({ selection: { $case: 'key', value: 'a' }, progressInterval: { seconds: 1n, nanos: 0 } });
    await reading.told();
    history.commit([put('b')], [put('b')]);
    expect(await reading.told(700)).toEqual([]);
    expect(await reading.told(301, 1)).toEqual(['progress |3']);
    const resumed = begin({ selection: { $case: 'key', value: 'a' }, resumeToken: reading.token });
    expect(await resumed.told()).toEqual(['from 4 |3']);
    expect(time.now()).toBeLessThan(1100);
  });

  it('says that the history is compacted', async () => {
    const { history, begin } = member();
    history.commit([put('a')], [put('b')], [put('c')]);
    history.compact(3);
    const late = begin({ startRevision: 2 });
    await expect(late.told()).rejects.toMatchObject({ code: 'compacted', details: { limit: '3', actual: '2' } });
    const snapshot = begin({ snapshot: true });
    await snapshot.told(0, 1);
    history.commit([put('d')]);
    history.compact(5);
    await expect(snapshot.told()).rejects.toMatchObject({ code: 'compacted' });
  });

  it('ends when its client goes or the member stops, and gives its place back', async () => {
    const { hub, begin } = member();
    const reading = begin();
    await reading.told();
    expect(hub.size).toBe(1);
    reading.abort(stopping());
    await expect(reading.told()).rejects.toMatchObject({ code: 'stopping' });
    expect(hub.size).toBe(0);
  });

  it.each([
    [{ startRevision: -1 }, 'start_revision'],
    [{ startRevision: 1, snapshot: true }, 'start_revision'],
    [{ resumeToken: 'AA' }, 'resume_token'],
    [{ resumeToken: '!' }, 'resume_token'],
    [{ selection: { $case: 'key', value: '' } as const }, 'key'],
    [{ selection: { $case: 'prefix', value: 'x'.repeat(101) } as const }, 'prefix'],
    [{ omit: [EventType.UNSPECIFIED] }, 'omit'],
    [{ progressInterval: { seconds: 0n, nanos: 99_000_000 } }, 'progress_interval'],
  ])('refuses %j', async (request, field) => {
    await expect(member().begin(request).told()).rejects.toMatchObject({
      code: 'invalid-argument',
      details: { field },
    });
  });

  it('refuses a token of a watch of other keys', async () => {
    const { begin } = member();
    const reading = begin({ selection: { $case: 'prefix', value: 'a' } });
    await reading.told();
    const other = begin({ selection: { $case: 'prefix', value: 'b' }, resumeToken: reading.token });
    await expect(other.told()).rejects.toMatchObject({ details: { field: 'resume_token' } });
  });
});
