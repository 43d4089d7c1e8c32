/** Front ends without a member: how connections reach them, how a stream is held back, what happens when they end. */
import { type AddressInfo, createServer } from 'node:net';
import { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client, credentials, Metadata, type ServerDuplexStream, type ServiceDefinition, status } from '@grpc/grpc-js';
import { statusText } from '../../src/api/front-ends/frames';
import { FrontEnd } from '../../src/api/front-ends/front-end';
import { FrontEnds } from '../../src/api/front-ends/front-ends';
import { frontEndLimits } from '../../src/api/front-ends/limits';
import { SharedPort } from '../../src/api/shared-port';
import { systemScheduler } from '../../src/ops/system-scheduler';
import { type Logger, silentLogger } from '../../src/base/logger';
import { allGone, childrenOf } from '../support/processes';
import { testLimits } from '../support/fake-member';
import { eventually } from '../support/process-cluster';
import { RawClient } from '../support/raw-call';
import { preface, RawHttp2 } from '../support/raw-http2';

const asItIs = (bytes: Buffer): Buffer => bytes;

const definition: ServiceDefinition = {
  talk: {
    ...{ path: '/test.Talk/Talk', requestStream: true, responseStream: true },
    ...{ requestSerialize: asItIs, requestDeserialize: asItIs },
    ...{ responseSerialize: asItIs, responseDeserialize: asItIs },
  },
};

let frontEnds: FrontEnds;
let port: SharedPort;
let number: number;
/** What was logged as an error. */
let logged: { readonly pauseMs?: unknown; readonly reason?: unknown }[];
/** What answers calls of `talk`. */
let talk: (call: ServerDuplexStream<Buffer, Buffer>) => void;
const clients: RawHttp2[] = [];

async function start(count: number): Promise<readonly number[]> {
  logged = [];
  const logger: Logger = { ...silentLogger, error: (fields) => logged.push(fields) };
  frontEnds = new FrontEnds({
    ...{
      count,
      limits: testLimits,
      maxStreamsPerConnection: 100,
      metadataKeys: [],
      tls: undefined,
      logger,
      services: [],
    },
    additions: [
      {
        addToServer: (server) => {
          server.addService(definition, { talk: (call: ServerDuplexStream<Buffer, Buffer>) => talk(call) });
        },
      },
    ],
  });
  await frontEnds.start(undefined);
  port = new SharedPort({
    scheduler: systemScheduler,
    http2: (socket) => frontEnds.take(socket),
    http1: (socket) => socket.destroy(),
  });
  number = await port.listen('127.0.0.1:0');
  return running();
}

/** The front ends of this process. */
function running(): readonly number[] {
  return childrenOf(process.pid);
}

function connectRaw(): RawHttp2 {
  const client = new RawHttp2(number);
  clients.push(client);
  return client;
}

async function answers(client: RawHttp2, ping: number): Promise<void> {
  client.ping(ping);
  await eventually(15_000, 'an answer', async () => (client.answered.at(-1) === ping ? true : undefined));
}

afterEach(async () => {
  for (const client of clients.splice(0)) client.socket.destroy();
  const pids = running();
  void frontEnds.retire();
  await frontEnds.close();
  await port.close();
  await allGone(pids);
});

describe('connections', () => {
  it('lose nothing of what arrives while they are handed over', async () => {
    await start(2);
    const pings = Array.from({ length: 150 }, (_, at) => at);
    const connections = Array.from({ length: 20 }, connectRaw);
    for (const { socket } of connections) socket.write(preface);
    for (const ping of pings) {
      for (const connection of connections) connection.ping(ping);
      await new Promise((resolve) => setImmediate(resolve));
    }
    const isOver = ({ isClosed, answered }: RawHttp2) => isClosed || answered.length === pings.length;
    await eventually(10_000, 'all answers', async () => (connections.every(isOver) ? true : undefined));
    for (const { answered } of connections) expect(answered).toEqual(pings);
  });

  it('go to the front ends in turn; those of one that is killed are closed, the others go on', async () => {
    const [killed, spared] = await start(2);
    const connections: RawHttp2[] = [];
    for (let count = 0; count < 10; count++) {
      const connection = connectRaw();
      connection.socket.write(preface);
      await answers(connection, count);
      connections.push(connection);
    }
    process.kill(killed ?? 0, 'SIGKILL');
    await eventually(5000, 'a new front end', async () => (frontEnds.frontEnds.restarts === 1 ? true : undefined));
    const going = connections.filter(({ isClosed }) => !isClosed);
    expect(going).toHaveLength(5);
    for (const connection of going) await answers(connection, 77);
    await eventually(10_000, 'two front ends', async () => (frontEnds.frontEnds.running === 2 ? true : undefined));
    expect(running()).toContain(spared);
  });

  it('wait while no front end is there, and are served by the next', async () => {
    const [only] = await start(1);
    process.kill(only ?? 0, 'SIGSTOP');
    // The first is on its way to the one that is stopped, and lost with it.
    const [first, second] = [connectRaw(), connectRaw()];
    first.socket.write(preface);
    await sleep(100);
    second.socket.write(preface);
    await sleep(100);
    process.kill(only ?? 0, 'SIGKILL');
    await answers(second, 5);
    expect(first.answered).toEqual([]);
    await eventually(5000, 'the end of the first', async () => (first.isClosed ? true : undefined));
  });

  it('that wait are closed when the listener retires, and those that come later', async () => {
    const [only] = await start(1);
    process.kill(only ?? 0, 'SIGSTOP');
    const connections = [connectRaw(), connectRaw(), connectRaw()];
    for (const { socket } of connections) socket.write(preface);
    await sleep(200);
    void frontEnds.retire();
    const late = connectRaw();
    late.socket.write(preface);
    // All but the first, which is on its way already.
    const isDone = () => connections.slice(1).every(({ isClosed }) => isClosed) && late.isClosed;
    await eventually(5000, 'the end of those that wait', async () => (isDone() ? true : undefined));
  });
});

describe('a stream of requests that its handler does not read', () => {
  it('is held back at the client, and lost nothing of when it is read again', async () => {
    await start(1);
    let call: ServerDuplexStream<Buffer, Buffer> | undefined;
    const received: number[] = [];
    let ended = false;
    talk = (it) => {
      call = it;
      it.on('data', (bytes: Buffer) => received.push(bytes.readUInt32LE()));
      it.on('end', () => {
        ended = true;
        it.end();
      });
      it.pause();
    };
    const client = new Client(`127.0.0.1:${String(number)}`, credentials.createInsecure());
    const stream = client.makeBidiStreamRequest('/test.Talk/Talk', asItIs, asItIs);
    stream.on('error', () => undefined).resume();
    const [count, size] = [256, 64 * 1024];
    let left = 0;
    for (let at = 0; at < count; at++) {
      const message = Buffer.alloc(size);
      message.writeUInt32LE(at);
      stream.write(message, () => left++);
    }
    stream.end();
    await eventually(5000, 'the call', async () => call);
    let before = -1;
    await eventually(10_000, 'standstill', async () => {
      await sleep(300);
      const isStill = left === before;
      before = left;
      return isStill && left > 0 ? true : undefined;
    });
    // The window, what the libraries hold on both sides, and what is in the kernel.
    expect(left * size).toBeLessThan(frontEndLimits.requestWindow + 48 * size);
    expect(received).toEqual([]);
    call?.resume();
    await eventually(10_000, 'all requests', async () => (ended ? true : undefined));
    expect(received).toEqual(Array.from({ length: count }, (_, at) => at));
    client.close();
  });
});

describe('a front end', () => {
  const withLimits = async (
    limits: Partial<Record<keyof typeof frontEndLimits, number>>,
    test: () => Promise<void>,
  ) => {
    const before = { ...frontEndLimits };
    Object.assign(frontEndLimits, limits);
    try {
      await test();
    } finally {
      Object.assign(frontEndLimits, before);
    }
  };

  it('ends when its member says nothing for long: its clients would never know', () =>
    withLimits({ pulseMs: 1_000_000, silentMs: 100 }, async () => {
      await start(1);
      const connection = connectRaw();
      connection.socket.write(preface);
      await eventually(5000, 'the end of the connection', async () => (connection.isClosed ? true : undefined));
      await eventually(5000, 'another', async () => (frontEnds.frontEnds.restarts > 0 ? true : undefined));
    }));

  it('does not end while its member has nothing to say but that it is there', () =>
    withLimits({ pulseMs: 100, silentMs: 500 }, async () => {
      await start(1);
      await sleep(2000);
      expect(frontEnds.frontEnds).toEqual({ running: 1, restarts: 0 });
    }));

  it('that says what it never should is ended, and another takes its place', () =>
    // It keeps to its own window, which is none to this member.
    withLimits({ requestWindow: -1 }, async () => {
      const [broken] = await start(1);
      const ended = new Promise((resolve) => {
        talk = (call) => call.on('cancelled', resolve).pause();
      });
      const client = new Client(`127.0.0.1:${String(number)}`, credentials.createInsecure());
      const stream = client.makeBidiStreamRequest('/test.Talk/Talk', asItIs, asItIs);
      stream.on('error', () => undefined).resume();
      stream.write(Buffer.from('too much'));
      await ended;
      client.close();
      await allGone([broken ?? 0]);
      expect(logged[0]).toMatchObject({ reason: expect.stringContaining('a front end keeps to the window') });
      await eventually(5000, 'another', async () => (frontEnds.frontEnds.restarts === 1 ? true : undefined));
      await eventually(10_000, 'it', async () => (frontEnds.frontEnds.running === 1 ? true : undefined));
    }));

  it('refuses calls while its member takes nothing, and says that nothing was done', async () => {
    await start(1);
    const stalled = new Duplex({ read: () => undefined, write: () => undefined, writableHighWaterMark: 1 });
    const unary = { path: '/test.Talk/Ask', requestStream: false, responseStream: false };
    const refusal = { code: status.RESOURCE_EXHAUSTED, details: 'too slow', metadata: new Metadata() };
    const frontEnd = new FrontEnd({
      plan: {
        methods: [unary],
        serverOptions: {},
        metadataKeys: [],
        overloaded: statusText(refusal),
        silentMs: 60_000,
        identity: undefined,
        httpPath: undefined,
      },
      onFailedHandshake: () => undefined,
      socket: stalled,
      onLost: () => undefined,
    });
    const listener = createServer((socket) => {
      frontEnd.take(socket, { head: Buffer.alloc(0), isSealed: false });
    });
    await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
    const { port: at } = listener.address() as AddressInfo;
    const raw = new RawClient(`127.0.0.1:${String(at)}`);
    const large = Buffer.alloc(4 * 1024 * 1024 - 100);
    const ends = await Promise.all(Array.from({ length: 18 }, () => raw.call(unary.path, large, 3000)));
    const codes = ends.map(({ error }) => error?.code);
    expect(codes.filter((code) => code === status.DEADLINE_EXCEEDED).length).toBeLessThanOrEqual(17);
    expect(codes).toContain(status.RESOURCE_EXHAUSTED);
    expect(ends.find(({ error }) => error?.code === status.RESOURCE_EXHAUSTED)?.error?.details).toBe('too slow');
    raw.close();
    await new Promise<void>((resolve) => frontEnd.close(resolve));
    await new Promise((resolve) => listener.close(resolve));
  });

  it('that keeps ending is started again at once, then after growing pauses', async () => {
    await start(1);
    for (let times = 0; times < 4; times++) {
      const [pid] = await eventually(10_000, 'a front end at work', async () =>
        frontEnds.frontEnds.running === 1 ? running() : undefined,
      );
      process.kill(pid ?? 0, 'SIGKILL');
      await eventually(5000, 'its end', async () => (logged.length > times ? true : undefined));
    }
    const { firstPauseMs } = frontEndLimits;
    expect(logged.map(({ pauseMs }) => pauseMs)).toEqual([0, firstPauseMs, 2 * firstPauseMs, 4 * firstPauseMs]);
  });

  it('that does not hear is killed when the listener closes', async () => {
    const [deaf] = await start(2);
    process.kill(deaf ?? 0, 'SIGSTOP');
    await frontEnds.close();
    expect(running()).toEqual([]);
  });

  it('that cannot be started keeps the listener from starting, and says why', async () => {
    await start(1);
    // As it is when its program cannot be run: grpc-js takes no empty service.
    const other = new FrontEnds({
      ...{
        count: 2,
        limits: testLimits,
        maxStreamsPerConnection: 100,
        metadataKeys: [],
        tls: undefined,
        logger: silentLogger,
      },
      ...{ services: [], additions: [] },
    });
    await expect(other.start(undefined)).rejects.toMatchObject({
      code: 'refused-to-start',
      message: expect.stringContaining('a front end cannot be started: it ended with exit code 1'),
    });
    expect(running()).toHaveLength(1);
  });
});
