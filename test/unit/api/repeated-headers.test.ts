import { once } from 'node:events';
import * as http2 from 'node:http2';
import type { AddressInfo } from 'node:net';
import { repeatHeaders } from '../../../src/api/repeated-headers';

type Answer = (stream: http2.ServerHttp2Stream) => void;

/** What gRPC answers. */
const grpcHeaders = { ':status': 200, 'content-type': 'application/grpc+proto', 'grpc-encoding': 'identity' };
const good = { 'grpc-status': 0, 'grpc-message': 'OK' };

const answer =
  (headers: http2.OutgoingHttpHeaders, trailers: http2.OutgoingHttpHeaders, body = 'answer'): Answer =>
  (stream) => {
    stream.respond(headers, { waitForTrailers: true });
    stream.once('wantTrailers', () => stream.sendTrailers(trailers));
    stream.end(body);
  };

/** What a client was answered. */
interface Heard {
  readonly headers: unknown;
  readonly body: string;
  readonly trailers: unknown;
}

const asHeard = (trailers: http2.OutgoingHttpHeaders) =>
  Object.fromEntries(Object.entries(trailers).map(([name, value]) => [name, String(value)]));
const grpcAnswer: Heard = { headers: grpcHeaders, body: 'answer', trailers: asHeard(good) };

/** A server whose streams repeat their headers, and how often `node:http2` itself was asked to send some. */
class RepeatingServer {
  readonly #server = http2.createServer();
  readonly #clients: http2.ClientHttp2Session[] = [];
  #kind: http2.ServerHttp2Stream | undefined;
  #own: Pick<http2.ServerHttp2Stream, 'respond' | 'sendTrailers'> | undefined;
  asked = { respond: 0, sendTrailers: 0 };
  isChanged: boolean | undefined;
  answer: Answer = answer(grpcHeaders, good);

  async start(version?: string): Promise<void> {
    this.#server.once('stream', (stream) => {
      this.#count(Object.getPrototypeOf(stream) as http2.ServerHttp2Stream);
      this.isChanged = repeatHeaders(stream, version);
    });
    this.#server.on('stream', (stream) => {
      stream.on('error', () => undefined);
      this.answer(stream);
    });
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
  }

  connect(): http2.ClientHttp2Session {
    const client = http2.connect(`http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`);
    client.on('error', () => undefined);
    this.#clients.push(client);
    return client;
  }

  /** Puts the class of the streams back as it was. */
  stop(): void {
    for (const client of this.#clients) client.destroy();
    this.#server.close();
    Object.assign(this.#kind ?? {}, this.#own);
  }

  #count(kind: http2.ServerHttp2Stream): void {
    const { respond, sendTrailers } = kind;
    const { asked } = this;
    this.#kind = kind;
    this.#own = { respond, sendTrailers };
    kind.respond = function (...given) {
      asked.respond++;
      respond.apply(this, given);
    };
    kind.sendTrailers = function (...given) {
      asked.sendTrailers++;
      sendTrailers.apply(this, given);
    };
  }
}

let server: RepeatingServer;
beforeEach(() => {
  server = new RepeatingServer();
});
afterEach(() => {
  server.stop();
});

async function ask(client: http2.ClientHttp2Session, method = 'POST'): Promise<Heard> {
  const request = client.request({ ':path': '/', ':method': method });
  request.setEncoding('utf8');
  let [headers, trailers, body]: [unknown, unknown, string] = [undefined, undefined, ''];
  request.on('response', (heard) => (headers = { ...heard }));
  request.on('trailers', (heard: http2.IncomingHttpHeaders) => (trailers = { ...heard }));
  request.on('data', (chunk: string) => (body += chunk));
  request.on('error', () => undefined);
  request.end();
  await once(request, 'close');
  return { headers, body, trailers };
}

const plain = (heard: Heard): unknown => JSON.parse(JSON.stringify(heard)) as unknown;

describe('repeatHeaders', () => {
  it('works on this version of Node.js: equal answers are written out once, and heard as they are', async () => {
    await server.start();
    const client = server.connect();
    expect(plain(await ask(client))).toEqual(grpcAnswer);
    for (let round = 0; round < 5; round++) {
      const heard = await Promise.all(Array.from({ length: 40 }, async () => plain(await ask(client))));
      for (const each of heard) expect(each).toEqual(grpcAnswer);
    }
    expect(server.isChanged).toBe(true);
    expect(server.asked).toEqual({ respond: 1, sendTrailers: 1 });
  });

  it('does so for other connections, too', async () => {
    await server.start();
    for (let connection = 0; connection < 5; connection++) {
      expect(plain(await ask(server.connect()))).toEqual(grpcAnswer);
    }
    expect(server.asked).toEqual({ respond: 1, sendTrailers: 1 });
  });

  it.each([
    ['more of them', { ...grpcHeaders, 'x-more': 'y' }, { ...good, 'x-last': 'z' }],
    ['fewer', { ':status': 200, 'content-type': 'application/grpc+proto' }, { 'grpc-status': 0 }],
    ['others', { ...grpcHeaders, 'grpc-encoding': 'gzip' }, { 'grpc-status': 5, 'grpc-message': 'not found' }],
  ])('sends %s as they are, each time', async (_what, headers, trailers) => {
    await server.start();
    const client = server.connect();
    for (let round = 0; round < 4; round++) {
      server.answer = answer(grpcHeaders, good);
      expect(plain(await ask(client))).toEqual(grpcAnswer);
      server.answer = answer(headers, trailers);
      expect(plain(await ask(client))).toEqual({ headers, body: 'answer', trailers: asHeard(trailers) });
    }
  });

  it('leaves alone what no trailers follow: it carries a date', async () => {
    await server.start();
    const client = server.connect();
    await ask(client);
    server.answer = (stream) => {
      stream.respond(grpcHeaders);
      stream.end('body');
    };
    for (let round = 0; round < 2; round++) {
      const { headers, body, trailers } = await ask(client);
      expect([headers, body, trailers]).toEqual([
        expect.objectContaining({ date: expect.anything() }),
        'body',
        undefined,
      ]);
    }
    server.answer = (stream) => stream.respond({ ...grpcHeaders, ...good }, { endStream: true });
    expect((await ask(client)).headers).toMatchObject(asHeard(good));
  });

  it('answers HEAD as node:http2 does: with nothing after the headers', async () => {
    await server.start();
    const client = server.connect();
    await ask(client);
    let isEnded: boolean | undefined;
    server.answer = (stream) => {
      stream.respond(grpcHeaders, { waitForTrailers: true });
      isEnded = stream.writableEnded;
    };
    const { headers, body } = await ask(client, 'HEAD');
    expect([headers, body, isEnded]).toEqual([expect.objectContaining({ ':status': 200 }), '', true]);
  });

  it('ends an answer whose status allows no body, each time', async () => {
    await server.start();
    const client = server.connect();
    server.answer = (stream) => stream.respond({ ':status': 204 }, { waitForTrailers: true });
    for (let round = 0; round < 3; round++) {
      const { headers, body } = await ask(client);
      expect([headers, body]).toEqual([expect.objectContaining({ ':status': 204 }), '']);
    }
  });

  it('closes a stream whose request nobody reads to its end, each time', async () => {
    await server.start();
    const client = server.connect();
    for (let round = 0; round < 3; round++) {
      // The client never ends it: only the server can.
      const request = client.request({ ':path': '/', ':method': 'POST' });
      request.resume();
      await once(request, 'close');
    }
    expect(server.asked).toEqual({ respond: 1, sendTrailers: 1 });
  });

  it('refuses what node:http2 refuses, in its words', async () => {
    await server.start();
    const client = server.connect();
    await ask(client);
    const refusals: unknown[] = [];
    const codeOf = (work: () => void): void => {
      try {
        work();
        refusals.push('nothing');
      } catch (error) {
        refusals.push((error as NodeJS.ErrnoException).code);
      }
    };
    server.answer = (stream) => {
      codeOf(() => stream.sendTrailers(good));
      stream.respond(grpcHeaders, { waitForTrailers: true });
      codeOf(() => stream.respond(grpcHeaders, { waitForTrailers: true }));
      stream.once('wantTrailers', () => {
        stream.sendTrailers(good);
        codeOf(() => stream.sendTrailers(good));
      });
      stream.end('answer');
    };
    expect(plain(await ask(client))).toEqual(grpcAnswer);
    server.answer = (stream) => {
      stream.close();
      codeOf(() => stream.respond(grpcHeaders, { waitForTrailers: true }));
      stream.destroy();
      codeOf(() => stream.respond(grpcHeaders, { waitForTrailers: true }));
    };
    await ask(client);
    expect(refusals).toEqual([
      'ERR_HTTP2_TRAILERS_NOT_READY',
      'ERR_HTTP2_HEADERS_SENT',
      'ERR_HTTP2_TRAILERS_ALREADY_SENT',
      'ERR_HTTP2_INVALID_STREAM',
      'ERR_HTTP2_INVALID_STREAM',
    ]);
  });

  it('tells what was sent', async () => {
    await server.start();
    const client = server.connect();
    const told: unknown[] = [];
    server.answer = (stream) => {
      answer(grpcHeaders, good)(stream);
      stream.once('close', () => told.push([stream.headersSent, stream.sentHeaders, stream.sentTrailers]));
    };
    await ask(client);
    await ask(client);
    const [first, second] = told;
    expect(first).toEqual([true, expect.objectContaining(grpcHeaders), good]);
    expect(second).toEqual(first);
  });

  it('lets go of streams whose client goes away at any moment', async () => {
    await server.start();
    await ask(server.connect());
    const streams: http2.ServerHttp2Stream[] = [];
    server.answer = (stream) => {
      streams.push(stream);
      answer(grpcHeaders, good, 'x'.repeat(50_000))(stream);
    };
    for (let round = 0; round < 20; round++) {
      const client = server.connect();
      const requests = Array.from({ length: 10 }, () => client.request({ ':path': '/', ':method': 'POST' }));
      for (const request of requests) request.on('error', () => undefined).end();
      await once(requests[round % 10] ?? client, round % 2 === 0 ? 'response' : 'ready');
      client.destroy();
    }
    expect(plain(await ask(server.connect()))).toMatchObject({ trailers: asHeard(good) });
    await Promise.all(streams.map(async (stream) => (stream.closed ? undefined : once(stream, 'close'))));
    expect(streams.length).toBeGreaterThan(50);
    expect(streams.filter(({ closed, destroyed }) => !closed && !destroyed)).toEqual([]);
  });

  it.each(['18.20.0', '99.0.0'])('changes nothing in version %s, which nobody has looked at', async (version) => {
    await server.start(version);
    const client = server.connect();
    for (let round = 0; round < 3; round++)
      expect((await ask(client)).headers).toMatchObject({ date: expect.anything() });
    expect(server.isChanged).toBe(false);
    expect(server.asked).toEqual({ respond: 3, sendTrailers: 3 });
  });
});
