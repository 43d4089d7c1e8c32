/** StreamSender: order, bounds, and heartbeats beside bulk data. */
import { StreamSender, type ByteStream } from '../../../src/transport/stream-sender';

const limits = { maxQueuedMessages: 4, maxQueuedBytes: 1000, maxUnflushedBytes: 100 };

/** A stream that takes `room` messages and then wants to be drained; flushes when told. */
class FakeStream implements ByteStream {
  readonly written: string[] = [];
  room = Infinity;
  readonly #flushes: (() => void)[] = [];
  #drain: () => void = () => undefined;

  write(bytes: Buffer, onFlushed: () => void): boolean {
    this.written.push(bytes.toString());
    this.#flushes.push(onFlushed);
    return --this.room > 0;
  }

  on(_event: 'drain', listener: () => void): void {
    this.#drain = listener;
  }

  end(): void {
    this.written.push('(end)');
  }

  flush(): void {
    for (const flush of this.#flushes.splice(0)) flush();
  }

  drain(room: number): void {
    this.room = room;
    this.#drain();
  }
}

function text(value: string): Buffer {
  return Buffer.from(value);
}

function open(): { sender: StreamSender; stream: FakeStream } {
  const sender = new StreamSender(limits);
  const stream = new FakeStream();
  sender.open(stream);
  return { sender, stream };
}

describe('StreamSender', () => {
  it('writes at once while the stream takes more', () => {
    const { sender, stream } = open();
    for (const value of ['a', 'b', 'c']) sender.send(text(value));
    expect(stream.written).toEqual(['a', 'b', 'c']);
  });

  it('keeps what comes before the stream is open, and writes it first', () => {
    const sender = new StreamSender(limits);
    sender.send(text('a'));
    sender.send(text('b'));
    const stream = new FakeStream();
    sender.open(stream);
    sender.send(text('c'));
    expect(stream.written).toEqual(['a', 'b', 'c']);
  });

  it('stops at write() === false and goes on, in order, at drain', () => {
    const { sender, stream } = open();
    stream.room = 1;
    for (const value of ['a', 'b', 'c']) sender.send(text(value));
    stream.flush();
    expect(stream.written).toEqual(['a']);
    stream.drain(10);
    expect(stream.written).toEqual(['a', 'b', 'c']);
  });

  it('stops when too much of what was written has not left', () => {
    const { sender, stream } = open();
    sender.send(text('x'.repeat(100)));
    sender.send(text('b'));
    expect(stream.written).toHaveLength(1);
    stream.flush();
    expect(stream.written[1]).toBe('b');
  });

  it('drops beyond the bound of messages', () => {
    const { sender, stream } = open();
    stream.room = 0;
    sender.send(text('written'));
    const taken = ['a', 'b', 'c', 'd', 'e', 'f'].map((value) => sender.send(text(value)));
    expect(taken).toEqual([true, true, true, true, false, false]);
    expect(sender.queuedMessages).toBe(4);
    stream.drain(10);
    expect(stream.written).toEqual(['written', 'a', 'b', 'c', 'd']);
  });

  it('drops beyond the bound of bytes, passed by one message at most', () => {
    const { sender, stream } = open();
    stream.room = 0;
    sender.send(text('written'));
    const taken = [999, 999, 1].map((length) => sender.send(Buffer.alloc(length)));
    expect(taken).toEqual([true, true, false]);
    expect(sender.queuedBytes).toBe(1998);
  });
});

describe('the end of a stream', () => {
  it('comes after all that waits, once', () => {
    const { sender, stream } = open();
    stream.room = 1;
    for (const value of ['a', 'b', 'c']) sender.send(text(value));
    sender.sendNewest(text('beat'));
    sender.end();
    stream.flush();
    expect(stream.written).toEqual(['a']);
    stream.drain(10);
    stream.flush();
    stream.drain(10);
    expect(stream.written).toEqual(['a', 'beat', 'b', 'c', '(end)']);
  });

  it('comes at once when nothing waits', () => {
    const { sender, stream } = open();
    sender.end();
    expect(stream.written).toEqual(['(end)']);
  });

  it('waits for the stream to open', () => {
    const sender = new StreamSender(limits);
    sender.send(text('a'));
    sender.end();
    const stream = new FakeStream();
    sender.open(stream);
    expect(stream.written).toEqual(['a', '(end)']);
  });
});

describe('heartbeats on a blocked stream', () => {
  function blocked(): { sender: StreamSender; stream: FakeStream } {
    const both = open();
    both.stream.room = 0;
    both.sender.send(text('written'), 10);
    return both;
  }

  it('replace each other: only the newest goes out', () => {
    const { sender, stream } = blocked();
    for (let count = 0; count < 1000; count++) sender.sendNewest(text(`beat ${count}`), 10);
    expect(sender.queuedMessages).toBe(1);
    stream.drain(10);
    expect(stream.written).toEqual(['written', 'beat 999']);
  });

  it('are not lost when the queue is full', () => {
    const { sender, stream } = blocked();
    for (let at = 0; at < 6; at++) sender.send(text(`bulk ${at}`), 10 + at);
    sender.sendNewest(text('beat'), 10);
    stream.drain(10);
    expect(stream.written).toContain('beat');
  });

  it('overtake bulk data that they do not build on', () => {
    const { sender, stream } = blocked();
    sender.send(text('bulk 11'), 11);
    sender.send(text('bulk 12'), 12);
    sender.sendNewest(text('beat'), 11);
    stream.drain(10);
    expect(stream.written).toEqual(['written', 'beat', 'bulk 11', 'bulk 12']);
  });

  it('keep their place behind bulk data that they build on', () => {
    const { sender, stream } = blocked();
    sender.send(text('bulk 11'), 11);
    sender.send(text('bulk 12'), 12);
    sender.sendNewest(text('beat'), 13);
    sender.send(text('bulk 13'), 13);
    stream.drain(10);
    expect(stream.written).toEqual(['written', 'bulk 11', 'bulk 12', 'beat', 'bulk 13']);
  });
});
