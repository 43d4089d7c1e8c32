import { Metadata } from '@grpc/grpc-js';
import type { DuplexPort } from '../../../src/api/duplex-streams';
import { pipelined } from '../../../src/api/pipelined-session';
import { QuorateError } from '../../../src/base/error';
import { deferred, type Deferred } from '../../../src/base/deferred';
import { VirtualTime } from '../../support/virtual-time';

/** The client's end: keeps what it is sent. */
class FakePort implements DuplexPort<string> {
  readonly metadata = new Metadata();
  readonly written: string[] = [];
  isWritable = true;
  isPaused = false;
  hasEnded = false;
  failure: unknown;

  write(message: string): void {
    this.written.push(message);
  }

  pauseRequests(): void {
    this.isPaused = true;
  }

  resumeRequests(): void {
    this.isPaused = false;
  }

  end(): void {
    this.hasEnded = true;
  }

  fail(error: unknown): void {
    this.failure = error;
  }
}

/** A stream whose requests the test answers. */
function bench() {
  const time = new VirtualTime();
  const asked = new Map<string, Deferred<string>>();
  const deadlines: number[] = [];
  const begin = pipelined<string, string>(
    (request, call) => {
      deadlines.push(call.deadline);
      const answer = deferred<string>();
      asked.set(request, answer);
      return answer.promise;
    },
    { clock: time, requestTimeoutMs: 1000, maxUnanswered: 3, responseBytes: (text) => text.length },
  );
  const port = new FakePort();
  const answer = (request: string): void => asked.get(request)?.resolve(`re ${request}`);
  return { time, asked, deadlines, port, session: begin(port), answer };
}

describe('A pipelined stream', () => {
  it('works on requests at once and answers them in order', async () => {
    const { time, asked, port, session, answer } = bench();
    session.onRequest('a');
    session.onRequest('b');
    expect([...asked.keys()]).toEqual(['a', 'b']);
    answer('b');
    await time.pass(0);
    expect(port.written).toEqual([]);
    answer('a');
    await time.pass(0);
    expect(port.written).toEqual(['re a', 're b']);
  });

  it('gives each request its own time', async () => {
    const { time, deadlines, session } = bench();
    session.onRequest('a');
    await time.pass(300);
    session.onRequest('b');
    expect(deadlines).toEqual([1000, 1300]);
  });

  it('ends when the client has ended and everything is answered', async () => {
    const { time, port, session, answer } = bench();
    session.onRequest('a');
    session.onRequestsEnd();
    await time.pass(0);
    expect(port.hasEnded).toBe(false);
    answer('a');
    await time.pass(0);
    expect(port.written).toEqual(['re a']);
    expect(port.hasEnded).toBe(true);
  });

  it('ends at once when the client has ended and nothing is open', async () => {
    const { time, port, session } = bench();
    session.onRequestsEnd();
    await time.pass(0);
    expect(port.hasEnded).toBe(true);
  });

  it('reads no more than so many requests ahead', async () => {
    const { time, port, session, answer } = bench();
    for (const request of ['a', 'b', 'c']) session.onRequest(request);
    expect(port.isPaused).toBe(true);
    answer('a');
    await time.pass(0);
    expect(port.isPaused).toBe(false);
  });

  it('waits for a client that takes nothing', async () => {
    const { time, port, session, answer } = bench();
    port.isWritable = false;
    session.onRequest('a');
    answer('a');
    await time.pass(0);
    expect(port.written).toEqual([]);
    port.isWritable = true;
    session.onWritable();
    await time.pass(0);
    expect(port.written).toEqual(['re a']);
  });

  it('ends with the error of a request, after the answers before it', async () => {
    const { time, asked, port, session, answer } = bench();
    session.onRequest('a');
    session.onRequest('b');
    asked.get('b')?.reject(new QuorateError('no-leader', 'nobody leads'));
    await time.pass(0);
    expect(port.failure).toBeUndefined();
    answer('a');
    await time.pass(0);
    expect(port.written).toEqual(['re a']);
    expect(port.failure).toMatchObject({ code: 'no-leader' });
  });

  it('says nothing to a client that is gone', async () => {
    const { time, port, session, answer } = bench();
    session.onRequest('a');
    session.onClosed();
    answer('a');
    await time.pass(0);
    expect(port.written).toEqual([]);
    expect(port.failure).toBeUndefined();
  });
});
