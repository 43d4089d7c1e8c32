/** One Write stream: order, batches of answers, back-pressure, ends. */
import { type BegunMutations, writeBounds, WriteSession } from '../../../../../src/api/native/kv/write-session';
import { deferred, type Deferred } from '../../../../../src/base/deferred';
import { QuorateError } from '../../../../../src/base/error';
import type { Mutation, MutationResult, WriteResponse } from '../../../../../src/gen/quorate/v1/kv';

/** Lets everything that is ready happen. */
const settle = async () => {
  for (let turn = 0; turn < 2; turn++) await new Promise<void>((resolve) => setImmediate(resolve));
};

/** A session whose mutations end when the test says so, and whose client takes messages when the test says so. */
class Stream {
  readonly pending = new Map<number, Deferred<MutationResult>>();
  readonly sent: number[][] = [];
  readonly taken: (() => void)[] = [];
  readonly ends: (QuorateError | undefined)[] = [];
  isPaused = false;
  closings = 0;
  bytes = 100;
  /** All mutations of a message make one batch; otherwise each is one. */
  together = false;
  stall: (() => void) | undefined;
  readonly session = new WriteSession({
    pipe: {
      pause: () => (this.isPaused = true),
      resume: () => (this.isPaused = false),
      send: (response: WriteResponse, onSent) => {
        this.sent.push(response.results.map(({ id }) => id));
        this.taken.push(onSent);
      },
      end: (failure) => this.ends.push(failure),
    },
    begin: (mutations) => {
      const batches = this.together ? [mutations] : mutations.map((mutation) => [mutation]);
      return batches.map((batch) => this.begin(batch));
    },
    scheduler: {
      after: (_delay, callback) => {
        this.stall = callback;
        return { cancel: () => (this.stall = undefined) };
      },
      atEndOfTurn: (callback) => void setImmediate(callback),
    },
    maxStallMs: 60_000,
    onEnded: () => this.closings++,
  });

  /** Batches are answered under the id of their first mutation. */
  private begin(batch: readonly Mutation[]): BegunMutations {
    const result = deferred<MutationResult>();
    this.pending.set(batch[0]?.id ?? 0, result);
    const results = result.promise.then(() => batch.map(({ id }) => ({ id, result: undefined })));
    return { count: batch.length, bytes: this.bytes, results };
  }

  receive(...ids: number[]): void {
    const mutations: Mutation[] = ids.map((id) => ({ id, mutation: undefined }));
    this.session.receive({ mutations });
  }

  async answer(...ids: number[]): Promise<void> {
    for (const id of ids) this.pending.get(id)?.resolve({ id, result: undefined });
    await settle();
  }

  async take(): Promise<void> {
    this.taken.shift()?.();
    await settle();
  }
}

const range = (from: number, count: number) => Array.from({ length: count }, (_, at) => from + at);

describe('a Write stream', () => {
  it('answers in the order of the mutations, whichever is done first', async () => {
    const stream = new Stream();
    stream.receive(1, 2, 3);
    await stream.answer(3, 2);
    expect(stream.sent).toEqual([]);
    await stream.answer(1);
    expect(stream.sent).toEqual([[1, 2, 3]]);
  });

  it('gathers answers while a message is on its way', async () => {
    const stream = new Stream();
    stream.receive(1);
    stream.receive(2, 3);
    await stream.answer(1);
    await stream.answer(2);
    await stream.answer(3);
    expect(stream.sent).toEqual([[1]]);
    await stream.take();
    expect(stream.sent).toEqual([[1], [2, 3]]);
  });

  it('divides answers that are too long for one message', async () => {
    const stream = new Stream();
    stream.bytes = writeBounds.maxResponseBytes * 0.4;
    stream.receive(1, 2, 3);
    await stream.answer(1, 2, 3);
    await stream.take();
    expect(stream.sent).toEqual([[1, 2], [3]]);
  });

  it('answers a batch as a whole, with its mutations in their order', async () => {
    const stream = new Stream();
    stream.together = true;
    stream.receive(1, 2, 3);
    stream.receive(4);
    await stream.answer(4);
    expect(stream.sent).toEqual([]);
    await stream.answer(1);
    expect(stream.sent).toEqual([[1, 2, 3, 4]]);
  });

  it('counts every mutation of a batch that is unanswered', async () => {
    const stream = new Stream();
    stream.together = true;
    stream.receive(...range(1, 1000));
    expect(stream.isPaused).toBe(false);
    stream.receive(...range(1001, 24));
    expect(stream.isPaused).toBe(true);
    await stream.answer(1);
    await stream.take();
    expect(stream.isPaused).toBe(false);
  });

  it('stops reading while too many are unanswered, and reads on when answers are taken', async () => {
    const stream = new Stream();
    const { maxUnanswered } = writeBounds;
    stream.receive(...range(1, 1000));
    expect(stream.isPaused).toBe(false);
    stream.receive(...range(1001, maxUnanswered - 1000));
    expect(stream.isPaused).toBe(true);
    await stream.answer(1);
    expect(stream.isPaused).toBe(true);
    await stream.take();
    expect(stream.isPaused).toBe(false);
  });

  it('stops reading while too many bytes are unanswered', () => {
    const stream = new Stream();
    stream.bytes = writeBounds.maxUnansweredBytes / 2;
    stream.receive(1);
    expect(stream.isPaused).toBe(false);
    stream.receive(2);
    expect(stream.isPaused).toBe(true);
  });

  it('ends after the last answer when the client has closed its side', async () => {
    const stream = new Stream();
    stream.receive(1, 2);
    stream.session.close();
    await stream.answer(1, 2);
    expect(stream.ends).toEqual([]);
    await stream.take();
    expect(stream.ends).toEqual([undefined]);
    expect(stream.closings).toBe(1);
  });

  it('ends at once when there was nothing', () => {
    const stream = new Stream();
    stream.session.close();
    expect(stream.ends).toEqual([undefined]);
  });

  it.each([0, writeBounds.maxMutations + 1])(
    'refuses a message of %d mutations, after what came before',
    async (count) => {
      const stream = new Stream();
      stream.receive(1);
      stream.receive(...range(2, count));
      stream.receive(5000);
      expect(stream.pending.size).toBe(1);
      await stream.answer(1);
      await stream.take();
      expect(stream.sent).toEqual([[1]]);
      expect(stream.ends[0]).toMatchObject({ code: 'invalid-argument', details: { field: 'mutations' } });
    },
  );

  it('reads no more when the member stops, and answers what it has read', async () => {
    const stream = new Stream();
    stream.receive(1);
    stream.session.close(new QuorateError('stopping', 'going'));
    stream.receive(2);
    await stream.answer(1);
    await stream.take();
    expect(stream.sent).toEqual([[1]]);
    expect(stream.ends).toMatchObject([{ code: 'stopping', outcome: 'not-done' }]);
  });

  it('gives up a client that takes nothing: then outcomes are unknown', async () => {
    const stream = new Stream();
    stream.receive(1, 2);
    await stream.answer(1);
    stream.stall?.();
    expect(stream.ends).toMatchObject([{ code: 'outcome-unknown', outcome: 'unknown' }]);
    await stream.answer(2);
    expect(stream.sent).toEqual([[1]]);
    expect(stream.closings).toBe(1);
  });

  it('tells nobody anything once the client is gone', async () => {
    const stream = new Stream();
    stream.receive(1);
    stream.session.abandon();
    await stream.answer(1);
    expect(stream.sent).toEqual([]);
    expect(stream.ends).toEqual([]);
    expect(stream.closings).toBe(1);
  });
});
