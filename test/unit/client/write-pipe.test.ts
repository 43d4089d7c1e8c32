import { statusOfError, statusDetailsTrailer } from '../../../src/api/errors';
import { deferred, type Deferred } from '../../../src/base/deferred';
import { QuorateError } from '../../../src/base/error';
import type { AttemptResult } from '../../../src/client/attempts';
import type { Failure } from '../../../src/client/failure';
import type { CallKind } from '../../../src/client/retry';
import { WritePipe, type WriteExchange } from '../../../src/client/write-pipe';
import { WriteQueue } from '../../../src/client/write-queue';
import { Status } from '../../../src/gen/google/rpc/status';
import type { MutationResult, WriteRequest, WriteResponse } from '../../../src/gen/quorate/v1/kv';
import { FakeTime } from '../../support/fake-time';

/** A stream whose other end is the test. */
class FakeExchange implements WriteExchange {
  readonly received: WriteRequest[] = [];
  takesMore = true;
  ended = false;
  wasLeft = false;
  #drained: (() => void) | undefined;
  #next: Deferred<WriteResponse | undefined> = deferred();

  get ids(): readonly (readonly number[])[] {
    return this.received.map(({ mutations }) => mutations.map(({ id }) => id));
  }

  send(message: WriteRequest): boolean {
    this.received.push(message);
    return this.takesMore;
  }

  onceDrained(callback: () => void): void {
    this.#drained = callback;
  }

  drain(): void {
    this.takesMore = true;
    this.#drained?.();
  }

  end(): void {
    this.ended = true;
    this.#next.resolve(undefined);
  }

  cancel(): void {
    this.#next.reject(new Error('cancelled'));
    this.#next.promise.catch(() => undefined);
  }

  break(): void {
    this.#next.reject(new Error('lost'));
  }

  async next(): Promise<WriteResponse | undefined> {
    const answer = await this.#next.promise;
    this.#next = deferred();
    return answer;
  }

  answer(...results: readonly MutationResult[]): void {
    this.#next.resolve({ results: [...results] });
  }

  failureOf(error: unknown): Failure {
    return { kind: 'bare', address: 'a:1', grpcCode: 14, message: String(error) };
  }

  leave(): void {
    this.wasLeft = true;
  }
}

const down: Failure = { kind: 'not-connected', address: 'a:1', message: 'refused' };

const done = (id: number, replayed = false): MutationResult => ({
  id,
  result: { $case: 'delete', value: { deleted: true, revision: id, previous: undefined, replayed } },
});

function refused(id: number, error: QuorateError): MutationResult {
  const [details] = statusOfError(error).metadata.get(statusDetailsTrailer);
  return { id, result: { $case: 'error', value: Status.decode(details as Buffer) } };
}

/** A pipe over streams that the members give one after the other; nothing left means that nobody is there. */
function pipeOver(...streams: readonly (FakeExchange | Failure)[]) {
  const time = new FakeTime();
  const queue = new WriteQueue();
  const left = [...streams];
  const renamed: (readonly [id: number, timeMs: number])[] = [];
  const settled: (readonly [id: number, outcome: string])[] = [];
  const pipe = new WritePipe(queue, {
    open: async (): Promise<AttemptResult<WriteExchange>> => {
      const next = left.shift() ?? down;
      return 'kind' in next ? { kind: 'failure', failure: next } : { kind: 'answer', answer: next };
    },
    maxSilenceMs: 15_000,
    timeoutMs: 60_000,
    maxAttempts: 10,
    maxBackoffMs: 1_000,
    endpointCount: 2,
    scheduler: time,
    surroundings: time,
    onSettled: () => undefined,
  });
  const give = (id: number, key: string, kind: CallKind = 'named-mutation', timeoutMs = 60_000) => {
    queue.add({
      ...{ message: { id, mutation: undefined }, bytes: 10, footprint: [key], kind, deadline: time.now() + timeoutMs },
      ...{ made: 0, doubt: 'none', rename: (timeMs) => renamed.push([id, timeMs]) },
      resolve: ({ result }) => settled.push([id, result?.$case ?? 'nothing']),
      reject: (error) => {
        settled.push([id, error instanceof QuorateError ? `${error.code} ${error.outcome}` : String(error)]);
      },
    });
    pipe.wake();
  };
  return { pipe, queue, time, give, settled, renamed };
}

describe('the pipe of a write stream', () => {
  it('sends what comes in one turn in one message, and gives each its answer', async () => {
    const stream = new FakeExchange();
    const { give, time, settled, queue } = pipeOver(stream);
    for (const id of [1, 2, 3]) give(id, `k${String(id)}`);
    await time.pass(0);
    expect(stream.ids).toEqual([[1, 2, 3]]);
    stream.answer(done(1), refused(2, new QuorateError('no-space', 'full')));
    await time.pass(0);
    stream.answer(done(3));
    await time.pass(0);
    expect(settled).toEqual([
      [1, 'delete'],
      [2, 'no-space not-done'],
      [3, 'delete'],
    ]);
    expect([queue.size, time.timers]).toEqual([0, 0]);
  });

  it('waits while the stream takes no more', async () => {
    const stream = new FakeExchange();
    stream.takesMore = false;
    const { give, time } = pipeOver(stream);
    give(1, 'a');
    await time.pass(0);
    give(2, 'b');
    await time.pass(1_000);
    expect(stream.ids).toEqual([[1]]);
    stream.drain();
    expect(stream.ids).toEqual([[1], [2]]);
  });

  it('sends again elsewhere, in order, what had no answer when a stream broke', async () => {
    const [one, two] = [new FakeExchange(), new FakeExchange()];
    const { give, time, settled } = pipeOver(one, two);
    for (const id of [1, 2, 3]) give(id, `k${String(id)}`);
    await time.pass(0);
    one.answer(done(1));
    await time.pass(0);
    one.break();
    await time.pass(100);
    expect([one.wasLeft, two.ids]).toEqual([true, [[2, 3]]]);
    two.answer(done(2, true), done(3));
    await time.pass(0);
    expect(settled.map(([id]) => id)).toEqual([1, 2, 3]);
  });

  it('never sends a change without a request id again once it was sent', async () => {
    const [one, two] = [new FakeExchange(), new FakeExchange()];
    const { give, time, settled } = pipeOver(one, two);
    give(1, 'a', 'mutation');
    give(2, 'b');
    await time.pass(0);
    one.break();
    await time.pass(100);
    expect(settled).toEqual([[1, 'outcome-unknown unknown']]);
    expect(two.ids).toEqual([[2]]);
  });

  it('sends again after a pause what was refused for something that passes', async () => {
    const stream = new FakeExchange();
    const { give, time } = pipeOver(stream);
    give(1, 'a');
    await time.pass(0);
    stream.answer(refused(1, new QuorateError('no-leader', 'none', { details: { retryAfterMs: 200 } })));
    await time.pass(199);
    expect(stream.ids).toEqual([[1]]);
    await time.pass(1);
    expect(stream.ids).toEqual([[1], [1]]);
  });

  it('keeps the order of changes of one key when the first is sent again', async () => {
    const stream = new FakeExchange();
    const { give, time } = pipeOver(stream);
    give(1, 'a');
    give(2, 'a');
    give(3, 'b');
    await time.pass(0);
    expect(stream.ids).toEqual([[1]]);
    stream.answer(refused(1, new QuorateError('outcome-unknown', '?', { outcome: 'unknown' })));
    await time.pass(100);
    expect(stream.ids).toEqual([[1], [1]]);
    stream.answer(done(1));
    await time.pass(0);
    expect(stream.ids).toEqual([[1], [1], [2, 3]]);
  });

  it('takes a member that owes answers and is silent for lost', async () => {
    const [one, two] = [new FakeExchange(), new FakeExchange()];
    const { give, time } = pipeOver(one, two);
    give(1, 'a');
    await time.pass(14_999);
    expect(two.ids).toEqual([]);
    await time.pass(100);
    expect(two.ids).toEqual([[1]]);
  });

  it('tells a change that its time is over, also while another is waited for', async () => {
    const [one, two] = [new FakeExchange(), new FakeExchange()];
    const { give, time, settled } = pipeOver(one, two);
    give(1, 'a', 'named-mutation', 1_000);
    give(2, 'a', 'named-mutation', 2_000);
    give(3, 'b', 'named-mutation', 60_000);
    await time.pass(1_300);
    expect(settled).toEqual([[1, 'outcome-unknown unknown']]);
    // The stream of the member that owed an answer was given up: the others go elsewhere.
    expect(two.ids).toEqual([[2, 3]]);
    await time.pass(1_300);
    expect(settled).toEqual([
      [1, 'outcome-unknown unknown'],
      [2, 'outcome-unknown unknown'],
    ]);
  });

  it('tells a change that waits behind another of its key that it was not done in time', async () => {
    const { give, time, settled } = pipeOver(new FakeExchange());
    give(1, 'a');
    give(2, 'a', 'named-mutation', 1_000);
    await time.pass(1_300);
    expect(settled).toEqual([[2, 'deadline-exceeded not-done']]);
  });

  it('takes a new request id when only the time in the id was wrong, unless it was tried before', async () => {
    const stream = new FakeExchange();
    const { give, time, renamed, settled } = pipeOver(stream);
    const details = { requestTimeMs: 1_800_000_000_000 };
    const expired = (id: number) =>
      refused(id, new QuorateError('request-expired', 'forgotten', { outcome: 'unknown', details }));
    give(1, 'a');
    await time.pass(0);
    stream.answer(expired(1));
    await time.pass(100);
    expect([renamed, stream.ids]).toEqual([[[1, 1_800_000_000_000]], [[1], [1]]]);
    stream.answer(refused(1, new QuorateError('outcome-unknown', '?', { outcome: 'unknown' })));
    await time.pass(100);
    stream.answer(expired(1));
    await time.pass(100);
    expect(settled).toEqual([[1, 'request-expired unknown']]);
    expect(renamed).toHaveLength(1);
  });

  it('leaves an idle stream open', async () => {
    const stream = new FakeExchange();
    const { give, time } = pipeOver(stream);
    give(1, 'a');
    await time.pass(0);
    stream.answer(done(1));
    await time.pass(3_600_000);
    give(2, 'a');
    await time.pass(0);
    expect(stream.ids).toEqual([[1], [2]]);
  });

  it('gives up when nobody can be reached in time, and tells how sure it is', async () => {
    const one = new FakeExchange();
    const { give, time, settled, queue } = pipeOver(one);
    give(1, 'a');
    give(2, 'a');
    await time.pass(0);
    one.break();
    await time.pass(62_000);
    expect(settled).toEqual([
      [1, 'outcome-unknown unknown'],
      [2, 'unreachable not-done'],
    ]);
    expect([queue.size, time.timers]).toEqual([0, 0]);
  });

  it('ends the stream when everything is answered after it was closed', async () => {
    const stream = new FakeExchange();
    const { pipe, give, time } = pipeOver(stream);
    give(1, 'a');
    await time.pass(0);
    pipe.close();
    expect(stream.ended).toBe(false);
    stream.answer(done(1));
    await time.pass(0);
    expect(stream.ended).toBe(true);
  });

  it('tells what it knows when it is aborted', async () => {
    const stream = new FakeExchange();
    const { pipe, give, time, settled } = pipeOver(stream);
    give(1, 'a');
    give(2, 'a');
    await time.pass(0);
    pipe.abort();
    await time.pass(0);
    expect(settled).toEqual([
      [1, 'outcome-unknown unknown'],
      [2, 'unreachable not-done'],
    ]);
  });
});
