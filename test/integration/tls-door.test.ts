/** The handshakes of a port: who gets in, and what becomes of those who do not finish. */
import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { connect as connectTls, type ConnectionOptions, type TLSSocket } from 'node:tls';
import { setTimeout as sleep } from 'node:timers/promises';
import { SharedPort } from '../../src/api/shared-port';
import { systemScheduler } from '../../src/ops/system-scheduler';
import { type FailedHandshake, TlsDoor, tlsLimits } from '../../src/api/tls-door';
import { type CertificateFiles, TestAuthority } from '../support/certificates';
import { eventually } from '../support/process-cluster';

const authority = new TestAuthority();
const foreign = new TestAuthority('another authority');
const member = authority.issue('member');
const client = authority.issue('client', { usage: 'client', names: [] });

let door: TlsDoor;
let port: SharedPort;
let number: number;
let taken: [string, Socket][];
let failures: FailedHandshake[];
const sockets: Socket[] = [];

const pem = ({ certFile, keyFile }: CertificateFiles) => ({
  cert: readFileSync(certFile, 'utf8'),
  key: readFileSync(keyFile, 'utf8'),
});
const identityOf = (files: CertificateFiles, trusted?: string) => {
  const { cert: certificate, key } = pem(files);
  return { certificate, key, trusted };
};

async function open(trusted?: string): Promise<void> {
  taken = [];
  failures = [];
  port = new SharedPort({
    scheduler: systemScheduler,
    http1: (socket) => void taken.push(['http1', socket]),
    http2: (socket) => void taken.push(['http2', socket]),
  });
  door = new TlsDoor({
    identity: identityOf(member, trusted),
    onOpen: (socket) => port.decide(socket),
    onFailed: (failure) => failures.push(failure),
  });
  number = await port.listen('127.0.0.1:0', (socket) => {
    // Whatever the door does with it, it is gone after the test.
    sockets.push(socket);
    door.take(socket);
  });
}

afterEach(async () => {
  jest.useRealTimers();
  door.close();
  for (const socket of [...sockets.splice(0), ...taken.map(([, socket]) => socket)]) socket.destroy();
  await port.close();
});
afterAll(() => {
  authority.remove();
  foreign.remove();
});

/** A client in the clear. */
function plain(): Socket {
  const socket = connect({ port: number, host: '127.0.0.1' });
  socket.on('error', () => undefined);
  sockets.push(socket);
  return socket;
}

function sealed(options: ConnectionOptions = {}): TLSSocket {
  const socket = connectTls({ port: number, host: '127.0.0.1', ca: authority.ca, ...options });
  socket.on('error', () => undefined);
  sockets.push(socket);
  return socket;
}

const closed = (socket: Socket) => new Promise<void>((resolve) => void socket.once('close', () => resolve()));

type Arrived = Pick<TLSSocket, 'alpnProtocol' | 'authorized' | 'getPeerCertificate' | 'read'>;

/** What was read of the one connection that got in, and by whom. */
async function arrival(): Promise<readonly [string, string, Arrived]> {
  const [who, socket] = await eventually(5000, 'a connection', async () => taken[0]);
  return [who, (socket.read() as Buffer).toString(), socket as unknown as Arrived];
}

const failed = () => eventually(5000, 'a failure', async () => failures[0]);

describe('a port with TLS', () => {
  beforeEach(() => open());

  it.each([
    ['http2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', ['h2'], 'h2'],
    // `node:http2` takes nobody who names no protocol; some clients of gRPC do not.
    ['http2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', undefined, 'h2'],
    ['http1', 'GET / HTTP/1.1\r\n\r\n', ['http/1.1'], 'http/1.1'],
    ['http1', 'GET / HTTP/1.1\r\n\r\n', undefined, false],
    // Whoever offers both is no client of gRPC: curl, Prometheus.
    ['http1', 'GET / HTTP/1.1\r\n\r\n', ['h2', 'http/1.1'], 'http/1.1'],
  ])('tells %s by what it begins with: %j, with ALPN %j', async (taker, text, protocols, told) => {
    const socket = sealed(protocols === undefined ? {} : { ALPNProtocols: protocols });
    socket.write(text);
    const [who, read, { alpnProtocol }] = await arrival();
    expect([who, read, alpnProtocol]).toEqual([taker, text, told]);
    socket.write('more');
    const [, there] = taken[0] ?? [];
    await eventually(5000, 'more', async () =>
      (there?.read() as Buffer | null)?.toString() === 'more' ? true : undefined,
    );
    expect(failures).toEqual([]);
  });

  it.each([
    ['GET / HTTP/1.1\r\n\r\n', 'does not speak TLS'],
    ['PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'does not speak TLS'],
    ['\u0000\u0001garbage that is no TLS at all', 'does not speak TLS'],
  ])('closes what does not begin with TLS: %j', async (text, reason) => {
    const socket = plain();
    socket.write(text);
    await closed(socket);
    expect(await failed()).toEqual({ reason: expect.stringContaining(reason), address: expect.stringMatching(/^127/) });
    expect(taken).toEqual([]);
  });

  it('takes TLS 1.2 and 1.3, and nothing older', async () => {
    for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
      const socket = sealed({ maxVersion: version, minVersion: version });
      await new Promise((resolve) => socket.once('secureConnect', resolve));
      expect(socket.getProtocol()).toBe(version);
    }
    const old = sealed({ minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'ALL@SECLEVEL=0' });
    await closed(old);
    expect(await failed()).toMatchObject({ reason: expect.stringMatching(/no version of TLS suits both/) });
  });

  it('closes a handshake that is not done in time, however slowly it goes on', async () => {
    jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask', 'performance'] });
    const silent = plain();
    const slow = plain();
    await Promise.all([silent, slow].map((socket) => new Promise((resolve) => socket.once('connect', resolve))));
    // As if it began with a record of a handshake.
    for (const byte of [0x16, 0x03, 0x01, 0x02, 0x00]) {
      slow.write(Buffer.from([byte]));
      for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
      jest.advanceTimersByTime(tlsLimits.handshakeMs / 5 - 1);
    }
    expect([silent.closed, slow.closed]).toEqual([false, false]);
    const bothClosed = Promise.all([closed(silent), closed(slow)]);
    jest.advanceTimersByTime(10);
    jest.useRealTimers();
    await bothClosed;
    expect(failures).toEqual([{ reason: 'not done after 10000 ms', address: expect.stringMatching(/^127/) }]);
  });

  it('holds a bounded number of handshakes: a crowd that never finishes locks nobody out', async () => {
    const crowd = Array.from({ length: tlsLimits.maxHandshakes + 20 }, plain);
    await Promise.all(crowd.slice(0, 20).map(closed));
    expect(crowd.slice(20).filter((socket) => socket.closed)).toEqual([]);
    sealed().write('GET / HTTP/1.1\r\n\r\n');
    expect((await arrival())[0]).toBe('http1');
    expect(failures).toEqual([{ reason: 'more than 1000 at a time', address: expect.stringMatching(/^127/) }]);
  });

  it('tells of the same failure once, and of a client that only connects, nothing', async () => {
    for (let times = 0; times < 20; times++) {
      const socket = plain();
      socket.write('garbage, and more of it');
      await closed(socket);
      plain().end();
    }
    await failed();
    await sleep(50);
    expect(failures).toHaveLength(1);
  });

  it('closes what has not said what it is with the port', async () => {
    const silent = sealed();
    await new Promise((resolve) => silent.once('secureConnect', resolve));
    const halfDone = plain();
    await new Promise((resolve) => halfDone.once('connect', resolve));
    const both = Promise.all([closed(silent), closed(halfDone)]);
    door.close();
    await port.close();
    await both;
  });
});

describe('a port that wants certificates of its clients', () => {
  beforeEach(() => open(authority.ca));

  it('takes those of its authority', async () => {
    sealed(pem(client)).write('GET / HTTP/1.1\r\n\r\n');
    const [who, , socket] = await arrival();
    expect([who, socket.authorized, socket.getPeerCertificate().subject.CN]).toEqual(['http1', true, 'client']);
  });

  it.each([
    ['nobody without one', {}, /shows no certificate/],
    [
      'nobody from another authority',
      pem(foreign.issue('client')),
      /not signed by an authority.*(UNABLE_TO_|SELF_SIGNED)/,
    ],
    ['nobody whose time is over', pem(authority.issue('late', { expired: true })), /has expired/],
    [
      'nobody whose certificate is made for servers only',
      pem(authority.issue('server', { usage: 'server' })),
      /not for this use/,
    ],
  ])('takes %s, and says why, and who it was', async (_, shown, reason) => {
    for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
      const socket = sealed({ ...shown, maxVersion: version });
      socket.once('secureConnect', () => socket.write('GET / HTTP/1.1\r\n\r\n'));
      await closed(socket);
    }
    expect(await failed()).toEqual({
      reason: expect.stringMatching(reason),
      address: expect.stringMatching(/^127\.0\.0\.1 \d+$/),
    });
    expect(taken).toEqual([]);
  });

  it('knows nobody any more whom its new authorities do not know, also not those it has met', async () => {
    const known = sealed({ ...pem(client), maxVersion: 'TLSv1.2' });
    const session = await new Promise<Buffer>((resolve) => known.once('session', resolve));
    known.write('GET / HTTP/1.1\r\n\r\n');
    const [, , before] = await arrival();
    door.replace(identityOf(member, foreign.ca));
    const again = sealed({ ...pem(client), session, maxVersion: 'TLSv1.2' });
    await closed(again);
    expect(taken).toHaveLength(1);
    known.write('the old connection goes on');
    await eventually(5000, 'more', async () => (before.read() as Buffer | null) ?? undefined);
  });
});

it('A port shows its new certificate to new connections, and no older protocol than before', async () => {
  await open();
  const nameShown = async (): Promise<string | undefined> => {
    const socket = sealed({ checkServerIdentity: () => undefined });
    await new Promise((resolve) => socket.once('secureConnect', resolve));
    return socket.getPeerCertificate().subject.CN as string | undefined;
  };
  expect(await nameShown()).toBe('member');
  door.replace(identityOf(authority.issue('renewed')));
  expect(await nameShown()).toBe('renewed');
  const old = sealed({ minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'ALL@SECLEVEL=0' });
  await closed(old);
  await failed();
});
