import { once } from 'node:events';
import * as http2 from 'node:http2';
import type { AddressInfo } from 'node:net';
import { untangle } from '../../../src/api/untangled-sessions';

describe('untangle', () => {
  const server = http2.createServer();
  let client: http2.ClientHttp2Session;
  const clients: http2.ClientHttp2Session[] = [];

  beforeAll(async () => {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
  });

  afterEach(() => {
    server.removeAllListeners('session');
    server.removeAllListeners('stream');
    for (const each of clients.splice(0)) each.destroy();
  });

  afterAll(() => {
    server.close();
  });

  const connect = async (version?: string) => {
    const coming = once(server, 'session') as Promise<[http2.ServerHttp2Session]>;
    let isDone: boolean | undefined;
    server.prependOnceListener('session', (session: http2.ServerHttp2Session) => {
      isDone = untangle(session, version);
    });
    client = http2.connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    client.on('error', () => undefined);
    clients.push(client);
    const [session] = await coming;
    return { session, isDone };
  };

  const ask = async () => {
    const request = client.request({ ':path': '/' });
    request.setEncoding('utf8');
    let text = '';
    request.on('data', (chunk: string) => (text += chunk));
    await once(request, 'close');
    return text;
  };

  it('works on this version of Node.js: streams are served, and closed', async () => {
    server.on('stream', (stream: http2.ServerHttp2Stream) => {
      stream.respond();
      stream.end('answer');
    });
    expect((await connect()).isDone).toBe(true);
    for (let round = 0; round < 20; round++) {
      const answers = await Promise.all(Array.from({ length: 30 }, ask));
      expect(new Set(answers)).toEqual(new Set(['answer']));
    }
  });

  it('a session that is destroyed closes the streams that are open', async () => {
    const streams: http2.ServerHttp2Stream[] = [];
    const { session } = await connect();
    const opened = new Promise<void>((resolve) => {
      server.on('stream', (stream: http2.ServerHttp2Stream) => {
        stream.on('error', () => undefined);
        if (streams.push(stream) === 300) resolve();
      });
    });
    const requests = Array.from({ length: 300 }, () => client.request({ ':path': '/' }).on('error', () => undefined));
    await opened;
    session.destroy();
    await Promise.all(requests.map(async (request) => (request.closed ? undefined : once(request, 'close'))));
    expect(streams.map(({ destroyed }) => destroyed)).not.toContain(false);
  });

  it('changes nothing in a version that nobody has looked at', async () => {
    expect((await connect('99.0.0')).isDone).toBe(false);
    expect((await connect('18.20.0')).isDone).toBe(false);
  });

  it('changes nothing once streams are open', async () => {
    const opened = once(server, 'stream') as Promise<[http2.ServerHttp2Stream]>;
    const { session } = await connect('99.0.0');
    client.request({ ':path': '/' }).on('error', () => undefined);
    const [stream] = await opened;
    stream.on('error', () => undefined);
    expect(untangle(session)).toBe(false);
  });
});
