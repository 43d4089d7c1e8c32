/** Streams in both directions: their number, their pace, and every way in which they end. */
import { EventEmitter } from 'node:events';
import { Metadata, type ServerDuplexStream } from '@grpc/grpc-js';
import { type DuplexPort, DuplexStreams } from '../../../src/api/duplex-streams';
import { QuorateError } from '../../../src/base/error';

/** The server's end of a stream: what grpc-js gives a handler, as far as it is used. */
class FakeStream extends EventEmitter {
  readonly metadata = new Metadata();
  readonly written: string[] = [];
  readonly taken: (() => void)[] = [];
  hasEnded = false;
  isPaused = false;
  failure: unknown;

  constructor() {
    super();
    this.on('error', (error: unknown) => {
      this.failure = error;
    });
  }

  write(message: string, onTaken: () => void): void {
    this.written.push(message);
    this.taken.push(onTaken);
  }

  end(): void {
    this.hasEnded = true;
  }

  pause(): void {
    this.isPaused = true;
  }

  resume(): void {
    this.isPaused = false;
  }
}

function bench(maxStreams = 10) {
  const calls: string[] = [];
  const ports: DuplexPort<string>[] = [];
  const statusOf = (error: unknown) => (error instanceof QuorateError ? error.code : String(error)) as never;
  const streams = new DuplexStreams({
    calls: { statusOf },
    dialect: undefined as never,
    maxStreams,
    maxBytesInFlight: 10,
  });
  const handler = streams.handler<string, string>((port) => {
    ports.push(port);
    return {
      onRequest: (request) => {
        if (request === 'throw') throw new QuorateError('invalid-argument', 'thrown');
        calls.push(request);
      },
      onRequestsEnd: () => void calls.push('end'),
      onWritable: () => void calls.push('writable'),
      onClosed: () => void calls.push('closed'),
    };
  });
  const open = () => {
    const stream = new FakeStream();
    handler(stream as unknown as ServerDuplexStream<string, string>);
    return { stream, port: ports.at(-1) as DuplexPort<string> };
  };
  return { streams, calls, open };
}

describe('DuplexStreams', () => {
  it('passes requests on, and their end', () => {
    const { calls, open } = bench();
    const { stream, port } = open();
    stream.emit('data', 'a');
    stream.emit('data', 'b');
    stream.emit('end');
    port.end();
    expect(calls).toEqual(['a', 'b', 'end', 'closed']);
    expect(stream.hasEnded).toBe(true);
  });

  it('counts what is on its way to the client, and tells when there is room again', () => {
    const { calls, open } = bench();
    const { stream, port } = open();
    port.write('a', 6);
    expect(port.isWritable).toBe(true);
    port.write('b', 6);
    expect(port.isWritable).toBe(false);
    stream.taken[0]?.();
    expect(port.isWritable).toBe(true);
    stream.taken[1]?.();
    expect(calls).toEqual(['writable']);
  });

  it('lets the client wait with its requests', () => {
    const { stream, port } = bench().open();
    port.pauseRequests();
    port.pauseRequests();
    expect(stream.isPaused).toBe(true);
    port.resumeRequests();
    expect(stream.isPaused).toBe(false);
  });

  it('ends with the status of what a session throws, once', () => {
    const { calls, open } = bench();
    const { stream, port } = open();
    stream.emit('data', 'throw');
    stream.emit('data', 'a');
    port.fail(new Error('again'));
    port.write('b', 1);
    expect(stream.failure).toBe('invalid-argument');
    expect(stream.written).toEqual([]);
    expect(calls).toEqual(['closed']);
    expect(port.isWritable).toBe(false);
  });

  it('gives up a stream whose client is gone', () => {
    const { calls, open } = bench();
    const { stream, port } = open();
    port.write('a', 20);
    stream.emit('cancelled');
    stream.taken[0]?.();
    expect(calls).toEqual(['closed']);
  });

  it('refuses a stream too many, and takes one when another is over', () => {
    const { open } = bench(1);
    const first = open();
    expect(open().stream.failure).toBe('overloaded');
    first.port.end();
    expect(open().stream.failure).toBeUndefined();
  });

  it('ends all streams when the member stops, and refuses those that come later', () => {
    const { streams, open } = bench();
    const { stream } = open();
    streams.stop();
    expect(stream.failure).toBe('stopping');
    expect(open().stream.failure).toBe('stopping');
  });
});
