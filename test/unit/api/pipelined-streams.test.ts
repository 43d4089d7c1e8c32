import { EventEmitter } from 'node:events';
import { Metadata, type ServerDuplexStream } from '@grpc/grpc-js';
import { QuorateError } from '../../../src/base/error';
import { deferred, type Deferred } from '../../../src/base/deferred';
import { PipelinedStreams } from '../../../src/api/pipelined-streams';
import { VirtualTime } from '../../support/virtual-time';

/** The server's end of a stream: what grpc-js gives a handler, as far as it is used. */
class FakeStream extends EventEmitter {
  readonly metadata = new Metadata();
  readonly written: string[] = [];
  isFull = false;
  hasEnded = false;
  failure: unknown;
  #isPaused = false;

  constructor() {
    super();
    this.on('error', (error: unknown) => {
      this.failure = error;
    });
  }

  write(message: string): boolean {
    this.written.push(message);
    return !this.isFull;
  }

  end(): void {
    this.hasEnded = true;
  }

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
  }

  isPaused(): boolean {
    return this.#isPaused;
  }
}

/** Streams whose requests the test answers. */
function bench(more: { readonly maxStreams?: number } = {}) {
  const time = new VirtualTime();
  const asked = new Map<string, Deferred<string>>();
  const deadlines: number[] = [];
  const streams = new PipelinedStreams({
    calls: { statusOf: (error) => error as never },
    scheduler: time,
    requestTimeoutMs: 1000,
    maxStreams: more.maxStreams ?? 10,
    maxUnanswered: 3,
    maxStallMs: 500,
  });
  const handler = streams.handler<string, string>((request, call) => {
    deadlines.push(call.deadline);
    const answer = deferred<string>();
    asked.set(request, answer);
    return answer.promise;
  });
  const open = (): FakeStream => {
    const stream = new FakeStream();
    handler(stream as unknown as ServerDuplexStream<string, string>);
    return stream;
  };
  const answer = (request: string): void => asked.get(request)?.resolve(`re ${request}`);
  return { time, asked, deadlines, streams, open, answer };
}

describe('PipelinedStreams', () => {
  it('work on requests at once and answer them in order', async () => {
    const { time, asked, open, answer } = bench();
    const stream = open();
    stream.emit('data', 'a');
    stream.emit('data', 'b');
    expect([...asked.keys()]).toEqual(['a', 'b']);
    answer('b');
    await time.pass(0);
    expect(stream.written).toEqual([]);
    answer('a');
    await time.pass(0);
    expect(stream.written).toEqual(['re a', 're b']);
  });

  it('give each request its own time', async () => {
    const { time, deadlines, open } = bench();
    const stream = open();
    stream.emit('data', 'a');
    await time.pass(300);
    stream.emit('data', 'b');
    expect(deadlines).toEqual([1000, 1300]);
  });

  it('end when the client has ended and everything is answered', async () => {
    const { time, open, answer } = bench();
    const stream = open();
    stream.emit('data', 'a');
    stream.emit('end');
    expect(stream.hasEnded).toBe(false);
    answer('a');
    await time.pass(0);
    expect(stream.written).toEqual(['re a']);
    expect(stream.hasEnded).toBe(true);
  });

  it('end at once when the client has ended and nothing is open', () => {
    const { open } = bench();
    const stream = open();
    stream.emit('end');
    expect(stream.hasEnded).toBe(true);
  });

  it('read no more than so many requests ahead', async () => {
    const { time, open, answer } = bench();
    const stream = open();
    for (const request of ['a', 'b', 'c']) stream.emit('data', request);
    expect(stream.isPaused()).toBe(true);
    answer('a');
    await time.pass(0);
    expect(stream.isPaused()).toBe(false);
  });

  it('wait for a client that takes nothing, then give it up', async () => {
    const { time, open, answer } = bench();
    const stream = open();
    stream.isFull = true;
    stream.emit('data', 'a');
    stream.emit('data', 'b');
    answer('a');
    answer('b');
    await time.pass(400);
    expect(stream.written).toEqual(['re a']);
    stream.emit('drain');
    await time.pass(400);
    expect(stream.written).toEqual(['re a', 're b']);
    await time.pass(200);
    expect(stream.failure).toMatchObject({ code: 'deadline-exceeded' });
  });

  it('end with the error of a request, after the answers before it', async () => {
    const { time, asked, open, answer } = bench();
    const stream = open();
    stream.emit('data', 'a');
    stream.emit('data', 'b');
    asked.get('b')?.reject(new QuorateError('no-leader', 'nobody leads'));
    await time.pass(0);
    expect(stream.failure).toBeUndefined();
    answer('a');
    await time.pass(0);
    expect(stream.written).toEqual(['re a']);
    expect(stream.failure).toMatchObject({ code: 'no-leader' });
  });

  it('say nothing to a client that is gone', async () => {
    const { time, open, answer } = bench();
    const stream = open();
    stream.emit('data', 'a');
    stream.emit('cancelled');
    answer('a');
    await time.pass(0);
    expect(stream.written).toEqual([]);
    expect(stream.failure).toBeUndefined();
  });

  it('are no more than so many at a time', () => {
    const { open } = bench({ maxStreams: 1 });
    const first = open();
    expect(open().failure).toMatchObject({ code: 'overloaded' });
    first.emit('cancelled');
    expect(open().failure).toBeUndefined();
  });

  it('end when the member stops, and none begins any more', () => {
    const { streams, open } = bench();
    const stream = open();
    streams.stop();
    expect(stream.failure).toMatchObject({ code: 'stopping' });
    expect(open().failure).toMatchObject({ code: 'stopping' });
  });
});
