import { once } from 'node:events';
import * as http2 from 'node:http2';
import { Duplex } from 'node:stream';
import { repeatHeaders } from '../../../src/api/repeated-headers';
import { answerWhole } from '../../../src/api/whole-answers';

/** One end of a connection within the process, which counts what is written at once to the other, and may hold it up. */
class End extends Duplex {
  writes = 0;
  isHeldUp = false;
  readonly #held: (() => void)[] = [];
  other: End | undefined;

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: () => void): void {
    this.#pass([chunk], callback);
  }

  override _writev(chunks: { chunk: Buffer }[], callback: () => void): void {
    this.#pass(
      chunks.map(({ chunk }) => chunk),
      callback,
    );
  }

  override _destroy(_error: Error | null, callback: () => void): void {
    if (this.other?.readableEnded === false) this.other.push(null);
    callback();
  }

  /** The oldest that is held up has left. */
  release(): void {
    this.#held.shift()?.();
  }

  #pass(chunks: readonly Buffer[], callback: () => void): void {
    this.writes++;
    setImmediate(() => {
      if (this.other?.destroyed === false) this.other.push(Buffer.concat(chunks));
      if (this.isHeldUp) this.#held.push(callback);
      else callback();
    });
  }
}

/** Answers as grpc-js does: with the status once it hears that the message was written. */
function answer(stream: http2.ServerHttp2Stream, message: string | Buffer): void {
  stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
  stream.write(message, (error) => {
    if (error !== null && error !== undefined) return;
    stream.once('wantTrailers', () => stream.sendTrailers({ 'grpc-status': 0 }));
    stream.end();
  });
}

/** A server, its client, and the connection between them. */
class Served {
  readonly serverEnd = new End();
  readonly client: http2.ClientHttp2Session;
  readonly #clientEnd = new End();
  readonly #server = http2.createServer();
  #kind: object | undefined;
  #own: Pick<http2.ServerHttp2Stream, 'respond' | 'sendTrailers'> | undefined;
  isChanged: boolean | undefined;
  answer: (stream: http2.ServerHttp2Stream) => void = (stream) => {
    answer(stream, 'answer');
  };

  constructor(settings: http2.Settings = {}, version?: string) {
    [this.serverEnd.other, this.#clientEnd.other] = [this.#clientEnd, this.serverEnd];
    this.#server.once('stream', (stream) => {
      this.#kind = Object.getPrototypeOf(stream) as http2.ServerHttp2Stream;
      const { respond, sendTrailers } = stream;
      this.#own = { respond, sendTrailers };
      repeatHeaders(stream);
      this.isChanged = answerWhole(stream, version);
    });
    this.#server.on('stream', (stream) => {
      this.answer(stream.on('error', () => undefined).resume());
    });
    this.#server.emit('connection', this.serverEnd);
    this.client = http2.connect('http://here', { createConnection: () => this.#clientEnd, settings });
    this.client.on('error', () => undefined);
  }

  /** Puts the class of the streams back as it was. */
  stop(): void {
    this.client.destroy();
    this.#server.close();
    if (this.#kind === undefined) return;
    Object.assign(this.#kind, this.#own);
    Reflect.deleteProperty(this.#kind, '_write');
    Reflect.deleteProperty(this.#kind, '_writev');
  }
}

let served: Served;
afterEach(() => {
  served.stop();
});

function request(): http2.ClientHttp2Stream {
  const asked = served.client.request({ ':path': '/', ':method': 'POST' });
  asked.on('error', () => undefined).end();
  return asked;
}

/** The message that a client was told, and the status after it. */
async function ask(): Promise<{ readonly message: string; readonly status: unknown }> {
  const asked = request().setEncoding('utf8');
  let [message, status]: [string, unknown] = ['', undefined];
  asked.on('data', (text: string) => (message += text));
  asked.on('trailers', (trailers: http2.IncomingHttpHeaders) => (status = trailers['grpc-status']));
  await once(asked, 'close');
  return { message, status };
}

/** Until what is ready has been done. */
async function breathe(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate);
}

describe('answerWhole', () => {
  it('works on this version of Node.js: an answer is one write to the connection', async () => {
    served = new Served();
    for (let round = 0; round < 3; round++) await ask();
    await breathe();
    const before = served.serverEnd.writes;
    for (let round = 0; round < 10; round++) expect(await ask()).toEqual({ message: 'answer', status: '0' });
    expect(served.serverEnd.writes - before).toBe(10);
    expect(served.isChanged).toBe(true);
  });

  it('keeps the order where a client takes it in pieces', async () => {
    served = new Served({ initialWindowSize: 3 });
    const message = 'a message that is longer';
    served.answer = (stream) => {
      answer(stream, message);
    };
    for (let round = 0; round < 5; round++) expect(await ask()).toEqual({ message, status: '0' });
  });

  /** Which of the messages, written one after the other, the stream knows as written when so many writes have left. */
  async function toldAfter(writes: number, messages: readonly Buffer[]): Promise<readonly number[][]> {
    served = new Served();
    for (let round = 0; round < 2; round++) await ask();
    await breathe();
    served.serverEnd.isHeldUp = true;
    const told: number[] = [];
    served.answer = (stream) => {
      stream.respond({ ':status': 200 }, { waitForTrailers: true });
      messages.forEach((message, at) => stream.write(message, () => told.push(at)));
    };
    request();
    await breathe();
    const atEach = [[...told]];
    for (let left = 0; left < writes; left++) {
      served.serverEnd.release();
      await breathe();
      atEach.push([...told]);
    }
    return atEach;
  }

  it('tells only of the first message before it has left', async () => {
    const messages = ['one', 'two', 'three'].map((text) => Buffer.from(text));
    expect(await toldAfter(3, messages)).toEqual([[0], [0], [0, 1], [0, 1, 2]]);
  });

  it('lets what is corked wait as well, and keeps the order', async () => {
    served = new Served();
    served.answer = (stream) => {
      stream.respond({ ':status': 200 }, { waitForTrailers: true });
      stream.write('one ');
      stream.cork();
      for (const text of ['two ', 'three ', 'four']) stream.write(text);
      stream.uncork();
      stream.once('wantTrailers', () => stream.sendTrailers({ 'grpc-status': 0 }));
      stream.end(' five');
    };
    for (let round = 0; round < 3; round++) {
      expect(await ask()).toEqual({ message: 'one two three four five', status: '0' });
    }
  });

  it.each([
    [16 * 1024, [0]],
    [16 * 1024 + 1, []],
  ])('tells of a message of %i bytes early: %j', async (bytes, told) => {
    expect(await toldAfter(1, [Buffer.alloc(bytes)])).toEqual([told, [0]]);
  });

  it.each<[string, (stream: http2.ServerHttp2Stream) => void]>([
    ['is destroyed', (stream) => stream.destroy()],
    ['fails', (stream) => stream.destroy(new Error('failed'))],
    ['is cancelled', (stream) => stream.close(http2.constants.NGHTTP2_CANCEL)],
    ['loses its connection', (stream) => stream.session?.destroy()],
  ])('tells once of each message whose stream %s', async (_what, end) => {
    served = new Served();
    await ask();
    const told: unknown[] = [];
    const closed = new Promise((resolve) => {
      served.answer = (stream) => {
        stream.on('error', ({ message }) => told.push(message));
        stream.on('close', resolve);
        stream.respond({ ':status': 200 }, { waitForTrailers: true });
        for (const which of ['first', 'second', 'third']) stream.write(which, () => told.push(which));
        end(stream);
      };
    });
    request();
    await closed;
    await breathe();
    expect(told.filter((each) => each !== 'failed')).toEqual(['first', 'second', 'third']);
  });

  it('passes on what a stream refuses at once', async () => {
    served = new Served();
    await ask();
    let refused: unknown;
    served.answer = (stream) => {
      stream.respond({ ':status': 200 }, { waitForTrailers: true });
      stream.end();
      stream.write('late', (error) => (refused = error));
    };
    await ask();
    expect(refused).toMatchObject({ code: 'ERR_STREAM_WRITE_AFTER_END' });
  });

  it.each(['18.20.0', '99.0.0'])('changes nothing in version %s, which nobody has looked at', async (version) => {
    served = new Served({}, version);
    for (let round = 0; round < 3; round++) await ask();
    await breathe();
    const before = served.serverEnd.writes;
    expect(await ask()).toEqual({ message: 'answer', status: '0' });
    expect(served.serverEnd.writes - before).toBe(2);
    expect(served.isChanged).toBe(false);
  });
});
