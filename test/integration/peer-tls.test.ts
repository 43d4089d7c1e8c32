/** Members that talk in TLS: who is refused, what each side says of it, and that nothing else is disturbed. */
import { connect as connectTcp, createServer, type Socket } from 'node:net';
import { credentials, status } from '@grpc/grpc-js';
import { seededRng } from '../../src/base/rng';
import type { TlsIdentity } from '../../src/base/tls';
import { TimeoutNowRequest } from '../../src/gen/quorate/peer/v1/raft';
import type { GrpcTransport } from '../../src/transport/grpc-transport';
import { probeTcp } from '../../src/transport/tcp-probe';
import { TestAuthority } from '../support/certificates';
import { freePort } from '../support/free-ports';
import { allPaths, metadataOf, PeerCaller } from '../support/peer-caller';
import { Proxy } from '../support/peer-stand-ins';
import { identityOf, ReplaceableIdentity } from '../support/tls';
import { appendEntries, clusterId, grpcTransport, Recorder, recordingLogger, until } from '../support/transport';

let ours: TestAuthority;
let foreign: TestAuthority;
let good: TlsIdentity;
const cleanups: (() => unknown)[] = [];

beforeAll(() => {
  ours = new TestAuthority('ours');
  foreign = new TestAuthority('foreign');
  good = identityOf(ours.issue('member'), ours);
});

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

afterAll(() => {
  ours.remove();
  foreign.remove();
});

type More = NonNullable<Parameters<typeof grpcTransport>[3]>;

class Member {
  readonly recorder = new Recorder();
  readonly logger = recordingLogger();
  readonly transport: GrpcTransport;
  readonly identity: ReplaceableIdentity | undefined;

  private constructor(
    id: bigint,
    listen: string,
    peer: string,
    { identity, ...more }: More & { identity?: TlsIdentity },
  ) {
    this.identity = identity === undefined ? undefined : new ReplaceableIdentity(identity);
    const tls = this.identity === undefined ? {} : { tls: this.identity };
    const peers = [{ id: 3n - id, address: peer }];
    this.transport = grpcTransport(id, listen, peers, { logger: this.logger, ...tls, ...more });
  }

  static async start(
    id: bigint,
    listen: string,
    peer: string,
    more: More & { identity?: TlsIdentity },
  ): Promise<Member> {
    const member = new Member(id, listen, peer, more);
    cleanups.push(() => member.transport.stop());
    await member.transport.start(member.recorder);
    return member;
  }

  /** What it said so far. */
  get said(): string {
    return this.logger.lines.map(({ text, reason }) => `${text}: ${reason}`).join('\n');
  }
}

interface Pair {
  readonly dialer: Member;
  readonly listener: Member;
  readonly listenerAddress: string;
}

/** Member 1, which dials, and member 2, which listens, and dials nobody that is there. */
async function startPair(
  dialer: More & { identity?: TlsIdentity },
  listener: More & { identity?: TlsIdentity },
): Promise<Pair> {
  const listenerAddress = `127.0.0.1:${String(await freePort())}`;
  return {
    listener: await Member.start(2n, listenerAddress, '127.0.0.1:1', listener),
    dialer: await Member.start(1n, '127.0.0.1:0', listenerAddress, dialer),
    listenerAddress,
  };
}

async function expectToReach({ dialer, listener }: Pair): Promise<void> {
  const before = listener.recorder.received.length;
  await until(() => {
    dialer.transport.send(2n, appendEntries(0));
    return listener.recorder.received.length > before;
  }, 'a message arrives');
}

async function expectSaid(member: Member, text: string | RegExp): Promise<void> {
  await until(() => member.said.match(text) !== null, `${String(text)} in\n${member.said}`).catch(() => undefined);
  expect(member.said).toMatch(text);
}

describe('a peer is refused, and both sides say why:', () => {
  async function expectRefused(pair: Pair, dialerSays: string | RegExp, listenerSays?: string | RegExp): Promise<void> {
    await expectSaid(pair.dialer, dialerSays);
    if (listenerSays !== undefined) await expectSaid(pair.listener, listenerSays);
    expect(pair.listener.recorder.received).toEqual([]);
    expect(pair.listener.recorder.asked).toEqual([]);
    expect(pair.dialer.recorder.asked).toEqual([]);
  }

  it('the one that dials has a certificate of a foreign authority', async () => {
    const identity = { ...identityOf(foreign.issue('member'), foreign), trusted: ours.ca };
    const pair = await startPair({ identity }, { identity: good });
    await expectRefused(
      pair,
      'may not accept the certificate that it was shown',
      'its certificate is not signed by an authority trusted here',
    );
  });

  it('the one that listens has a certificate of a foreign authority', async () => {
    const pair = await startPair({ identity: good }, { identity: identityOf(foreign.issue('member'), ours) });
    await expectRefused(pair, 'its certificate is not signed by an authority trusted here');
  });

  it('the certificate of the one that dials has expired', async () => {
    const pair = await startPair(
      { identity: identityOf(ours.issue('late', { expired: true }), ours) },
      { identity: good },
    );
    await expectRefused(pair, 'may not accept the certificate that it was shown', 'its certificate has expired');
  });

  it('the certificate of the one that listens has expired', async () => {
    const pair = await startPair(
      { identity: good },
      { identity: identityOf(ours.issue('late', { expired: true }), ours) },
    );
    await expectRefused(pair, 'its certificate has expired');
  });

  it('the certificate of the one that listens is for another host', async () => {
    const elsewhere = identityOf(ours.issue('elsewhere', { names: ['elsewhere.example'] }), ours);
    const pair = await startPair({ identity: good }, { identity: elsewhere });
    await expectRefused(pair, 'its certificate is for other names');
  });

  it('the one that listens may only dial', async () => {
    const pair = await startPair(
      { identity: good },
      { identity: identityOf(ours.issue('member', { usage: 'client' }), ours) },
    );
    await expectRefused(pair, 'its certificate is not for this use');
  });

  it('the one that dials speaks plain text', async () => {
    const pair = await startPair({}, { identity: good });
    await expectRefused(pair, 'does not speak HTTP/2 there, or expects TLS', 'it does not speak TLS');
  });

  it('the one that listens speaks plain text', async () => {
    const pair = await startPair({ identity: good }, {});
    await expectRefused(pair, 'it does not speak TLS there');
  });

  it('the one that listens allows other names', async () => {
    const pair = await startPair({ identity: good }, { identity: good, allowedNames: ['somebody.example'] });
    const reason = 'none of the names in --peer-allowed-names (it carries: CN=member, DNS:localhost';
    await expectSaid(pair.dialer, 'the peer refuses this member');
    expect(pair.dialer.said).toContain(reason);
    expect(pair.listener.said).toContain(reason);
    expect(pair.listener.recorder.asked).toEqual([]);
  });

  it('the one that dials allows other names', async () => {
    const pair = await startPair({ identity: good, allowedNames: ['somebody.example'] }, { identity: good });
    await expectRefused(pair, 'none of the names in --peer-allowed-names');
  });

  it('says so once in a while, however often it tries', async () => {
    const pair = await startPair({}, { identity: good });
    await expectSaid(pair.listener, 'it does not speak TLS');
    for (let attempt = 0; attempt < 20; attempt++)
      await exchange(pair.listenerAddress, Buffer.from('GET / HTTP/1.1\r\n\r\n'));
    expect(pair.listener.logger.lines.filter(({ reason }) => reason.includes('not speak TLS')).length).toBeLessThan(4);
  });
});

describe('allowed names', () => {
  it.each<[string, Parameters<TestAuthority['issue']>, string]>([
    ['a DNS name', ['x', { names: ['127.0.0.1', 'm1.example'] }], 'm1.example'],
    ['a wildcard', ['x', { names: ['127.0.0.1', '*.peers.example'] }], 'm1.peers.example'],
    ['the common name', ['m1.example', { names: ['127.0.0.1'] }], 'm1.example'],
    ['a common name that is no host', ['quorate peer', { names: ['127.0.0.1', 'localhost'] }], 'quorate peer'],
  ])('may be %s', async (_what, certificate, name) => {
    const identity = identityOf(ours.issue(...certificate), ours);
    const allowedNames = ['other.example', name];
    await expectToReach(await startPair({ identity, allowedNames }, { identity, allowedNames }));
  });

  it.each(allPaths)('are asked for on %s', async (path) => {
    const { listener, listenerAddress } = await startPair({}, { identity: good, allowedNames: ['m1.example'] });
    const outcomeOf = async (name: string) => {
      const { certFile, keyFile } = ours.issue('x', { names: [name] });
      const { certificate, key } = identityOf({ certFile, keyFile }, ours);
      const shown = credentials.createSsl(Buffer.from(ours.ca), Buffer.from(key), Buffer.from(certificate));
      const caller = new PeerCaller(listenerAddress, shown);
      cleanups.push(() => caller.close());
      const identity = { 'quorate-cluster-id': String(clusterId), 'quorate-from': '1', 'quorate-to': '2' };
      return caller.call(path, Buffer.from([0xff]), metadataOf(identity));
    };
    const refused = await outcomeOf('m2.example');
    expect(status[refused.code]).toBe('FAILED_PRECONDITION');
    expect(refused.details).toContain('--peer-allowed-names');
    expect(listener.recorder.asked).toEqual([]);
    // Let in: then what it sends is looked at.
    expect(status[(await outcomeOf('m1.example')).code]).toBe('INVALID_ARGUMENT');
  });
});

/** Sends bytes on a connection of its own, and waits until it is closed; what came back. */
function exchange(address: string, body: Buffer): Promise<Buffer> {
  return new Promise((resolve) => {
    const received: Buffer[] = [];
    const socket = connectTcp(Number(address.split(':')[1]), '127.0.0.1', () => socket.write(body));
    socket.on('data', (bytes) => received.push(bytes));
    socket.on('error', () => undefined).on('close', () => resolve(Buffer.concat(received)));
  });
}

describe('strangers on a peer listener with TLS', () => {
  it('get nowhere without a certificate', async () => {
    const { listener, listenerAddress } = await startPair({}, { identity: good });
    const caller = new PeerCaller(listenerAddress, credentials.createSsl(Buffer.from(ours.ca)));
    cleanups.push(() => caller.close());
    const bytes = Buffer.from(TimeoutNowRequest.encode({ term: 7 }).finish());
    const identity = { 'quorate-cluster-id': String(clusterId), 'quorate-from': '1', 'quorate-to': '2' };
    for (const path of allPaths) {
      expect(status[(await caller.call(path, bytes, metadataOf(identity))).code]).toBe('UNAVAILABLE');
    }
    await expectSaid(listener, 'it shows no certificate');
    expect(listener.recorder.received).toEqual([]);
  });

  it('may send garbage, or nothing: they are closed in time, and members go on', async () => {
    const pair = await startPair({ identity: good }, { identity: good, tuning: { handshakeTimeoutMs: 300 } });
    await expectToReach(pair);
    const rng = seededRng(5);
    const random = () => Buffer.from(Array.from({ length: 300 }, () => rng.nextUint32() & 0xff));
    const hello = Buffer.from('160301012c010001280303', 'hex');
    const bodies: Buffer[] = [Buffer.alloc(0), hello, Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')];
    bodies.push(...Array.from({ length: 20 }, random));
    bodies.push(...Array.from({ length: 20 }, () => Buffer.concat([hello, random()])));
    await Promise.all(bodies.map((body) => exchange(pair.listenerAddress, body)));
    await expectSaid(pair.listener, 'it did not finish the TLS handshake in time');
    await expectToReach(pair);
    expect(pair.dialer.recorder.unreachablePeers).toEqual([]);
  });

  it('are no matter for the log if they only look who listens', async () => {
    const { listener, listenerAddress } = await startPair({}, { identity: good });
    for (let count = 0; count < 5; count++) await probeTcp(listenerAddress, 1000, new AbortController().signal);
    await exchange(listenerAddress, Buffer.from('GET / HTTP/1.1\r\n\r\n'));
    await expectSaid(listener, 'it does not speak TLS');
    expect(listener.said).not.toContain('hang up');
  });
});

describe('a peer that does not answer in TLS', () => {
  it('is given up, and leaves no connection behind', async () => {
    const open = new Set<Socket>();
    let accepted = 0;
    const silent = createServer((socket) => {
      accepted++;
      open.add(socket);
      socket
        .on('error', () => undefined)
        .on('close', () => open.delete(socket))
        .resume();
    });
    const port = await freePort();
    await new Promise<void>((resolve) => silent.listen(port, '127.0.0.1', resolve));
    cleanups.push(() => silent.close());
    const address = `127.0.0.1:${String(port)}`;
    await Member.start(1n, '127.0.0.1:0', address, { identity: good, tuning: { handshakeTimeoutMs: 150 } });
    // Two for each attempt: one that looks whether anybody listens, one that waits for a handshake.
    await until(() => accepted >= 8, 'four attempts');
    expect(open.size).toBeLessThanOrEqual(2);
  });
});

describe('certificates that are replaced while members talk', () => {
  it('are shown and trusted by connections made from then on', async () => {
    const { proxy, port } = await Proxy.listen();
    cleanups.push(() => proxy.close());
    const listenerAddress = `127.0.0.1:${String(await freePort())}`;
    proxy.target = Number(listenerAddress.split(':')[1]);
    const listener = await Member.start(2n, listenerAddress, '127.0.0.1:1', { identity: good });
    const dialer = await Member.start(1n, '127.0.0.1:0', `127.0.0.1:${String(port)}`, { identity: good });
    const pair = { dialer, listener, listenerAddress };
    await expectToReach(pair);

    const next = identityOf(foreign.issue('member'), foreign);
    listener.identity?.replace(next);
    await expectToReach(pair);
    expect(dialer.recorder.unreachablePeers).toEqual([]);

    proxy.cut();
    await expectSaid(dialer, 'its certificate is not signed by an authority trusted here');
    dialer.identity?.replace(next);
    await expectToReach(pair);
  });

  it('stay in use if the new ones cannot be used', async () => {
    const pair = await startPair({}, { identity: good });
    pair.listener.identity?.replace({ ...good, certificate: 'no certificate' });
    await expectSaid(pair.listener, 'keeps the old one');
    const dialer = await Member.start(1n, '127.0.0.1:0', pair.listenerAddress, { identity: good });
    await expectToReach({ ...pair, dialer });
  });
});
