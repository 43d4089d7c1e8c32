/** A member whose clients use TLS: they get what they get without, and nobody else gets in. With and without front ends. */
import { copyFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { credentials, status } from '@grpc/grpc-js';
import { type CertificateFiles, TestAuthority } from '../support/certificates';
import { EtcdCaller } from '../support/etcd-caller';
import { EtcdWatchStream } from '../support/etcd-watch';
import { freePort } from '../support/free-ports';
import { callHttps, shownOf } from '../support/https-caller';
import { eventually, ProcessCluster, type ProcessMember } from '../support/process-cluster';

const authority = new TestAuthority();
const foreign = new TestAuthority('another authority');
const client = authority.issue('client', { usage: 'client', names: [] });
const stranger = foreign.issue('stranger', { usage: 'client', names: [] });
const open: { close(): void }[] = [];
/** The files that members are told to use. */
const used = { certFile: authority.path('used.pem'), keyFile: authority.path('used.key') };

function use(files: CertificateFiles): void {
  copyFileSync(files.certFile, used.certFile);
  copyFileSync(files.keyFile, used.keyFile);
}

function closing<C extends { close(): void }>(opened: C): C {
  open.push(opened);
  return opened;
}

/** By name: Node warns of TLS to an address. */
const named = ({ clientAddress }: ProcessMember) => clientAddress.replace('127.0.0.1', 'localhost');

const base64 = (text: string) => Buffer.from(text).toString('base64');

afterAll(() => {
  authority.remove();
  foreign.remove();
});

describe.each([0, 2])('A member that wants certificates of its clients, with %i front ends', (frontEnds) => {
  let cluster: ProcessCluster;
  let member: ProcessMember;
  let metricsAddress: string;

  const shown = shownOf(authority.ca, client);
  const log = () => readFileSync(join(cluster.directory, `${member.name}.log`), 'utf8');
  const get = (path: string) => callHttps(member.clientAddress, path, shown);
  const logged = (text: string) =>
    eventually(10_000, text, async () =>
      log()
        .split('\n')
        .find((line) => line.includes(text)),
    );

  function caller(files?: CertificateFiles): EtcdCaller {
    const { ca, cert, key } = shownOf(authority.ca, files);
    const [root, chain, own] = [ca, cert, key].map((text) => (text === undefined ? null : Buffer.from(text)));
    return closing(new EtcdCaller(named(member), 3000, credentials.createSsl(root, own, chain)));
  }

  beforeAll(async () => {
    use(authority.issue('member'));
    metricsAddress = `127.0.0.1:${String(await freePort())}`;
    const flags = {
      'client-cert-file': used.certFile,
      'client-key-file': used.keyFile,
      'client-ca-file': authority.caFile,
      'metrics-listen': metricsAddress,
      'front-ends': String(frontEnds),
    };
    const args = Object.entries(flags).flatMap(([flag, value]) => [`--${flag}`, value]);
    cluster = await ProcessCluster.start({ members: 1, args, tls: shown });
    member = cluster.members[0] as ProcessMember;
  });
  afterAll(async () => {
    for (const each of open.splice(0)) each.close();
    await cluster.stop();
  });

  it('serves both APIs over gRPC', async () => {
    const kv = caller(client);
    await kv.put('grpc', '1');
    expect((await kv.range('grpc')).kvs).toMatchObject([{ value: Buffer.from('1') }]);
    await cluster.client().put('native', '2');
    expect((await kv.range('native')).count).toBe(1n);
  });

  it('serves probes, metrics and the JSON gateway over https', async () => {
    expect(JSON.parse((await get('/version')).text)).toMatchObject({ etcdcluster: '3.5.0' });
    expect(await get('/health')).toMatchObject({ status: 200, text: '{"health":"true","reason":""}' });
    expect((await get('/metrics')).text).toContain('quorate_is_leader 1');
    const post = (path: string, body: object) => callHttps(member.clientAddress, path, shown, body);
    const large = 'v'.repeat(1_000_000);
    expect(await post('/v3/kv/put', { key: base64('json'), value: base64(large) })).toMatchObject({ status: 200 });
    const range = await post('/v3/kv/range', { key: base64('json') });
    expect(JSON.parse(range.text)).toMatchObject({ kvs: [{ value: base64(large) }] });
    const snapshot = await post('/v3/maintenance/snapshot', {});
    expect(snapshot.text.trim().split('\n').length).toBeGreaterThan(1);
  });

  it('serves nobody without a certificate, and nobody with that of another authority', async () => {
    for (const files of [undefined, stranger]) {
      await expect(caller(files).put('refused', '1')).rejects.toMatchObject({ code: status.UNAVAILABLE });
      const refused = callHttps(member.clientAddress, '/version', shownOf(authority.ca, files));
      await expect(refused).rejects.toMatchObject({ code: expect.stringMatching(/ECONNRESET|ERR_SSL_/) });
    }
    expect(await logged('not signed by an authority')).toMatch(/"level":"warn".*"clientAddress":"127\.0\.0\.1 \d+"/);
    await logged('shows no certificate');
    expect((await caller(client).range('refused')).count).toBe(0n);
  });

  it('closes what is no TLS, and what is left half done, and serves on', async () => {
    const port = Number(member.clientAddress.split(':')[1]);
    const closed = [];
    for (const text of [
      'GET /version HTTP/1.1\r\n\r\n',
      'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
      '\0\0\0garbage'.repeat(99),
    ]) {
      const socket = connect(port, '127.0.0.1').on('error', () => undefined);
      socket.write(text);
      closed.push(new Promise((resolve) => socket.once('close', resolve)));
      connect(port, '127.0.0.1').end('\u0016\u0003\u0001');
    }
    await Promise.all(closed);
    expect((await get('/health')).status).toBe(200);
  });

  it('tells clients and peers of itself by URLs that say how it is reached', async () => {
    const { members } = await caller(client).memberList();
    expect(members).toMatchObject([
      { clientURLs: [`https://${member.clientAddress}`], peerURLs: [`http://${member.peerAddress}`] },
    ]);
  });

  it('shows metrics and probes in the clear at an address of their own, and nothing else', async () => {
    const at = (path: string, init?: RequestInit) => fetch(`http://${metricsAddress}${path}`, init);
    for (const path of ['/metrics', '/health', '/livez', '/readyz', '/version']) {
      expect({ path, status: (await at(path)).status }).toEqual({ path, status: 200 });
    }
    expect(await (await at('/metrics')).text()).toContain('quorate_is_leader 1');
    const body = JSON.stringify({ key: base64('grpc') });
    expect((await at('/v3/kv/range', { method: 'POST', body })).status).toBe(404);
    const insecure = closing(new EtcdCaller(metricsAddress, 1000));
    await expect(insecure.range('grpc')).rejects.toMatchObject({ code: status.UNAVAILABLE });
  });

  it('takes up new certificates while it runs, and leaves connections and broken files alone', async () => {
    const watch = new EtcdWatchStream(named(member), securely());
    watch.create({ key: Buffer.from('rotation') });
    expect((await watch.next())?.created).toBe(true);
    expect((await get('/health')).server).toBe('member');

    use(authority.issue('renewed'));
    await eventually(15_000, 'the new one', async () =>
      (await get('/health')).server === 'renewed' ? true : undefined,
    );

    writeFileSync(used.certFile, readFileSync(used.certFile, 'utf8').slice(0, 300));
    expect(await logged('the old ones stay in use')).toContain('ends in the middle of a certificate');
    expect((await get('/health')).server).toBe('renewed');

    await caller(client).put('rotation', '1');
    expect((await watch.next())?.events).toHaveLength(1);
    watch.close();
    use(authority.issue('last'));
    await eventually(15_000, 'the last one', async () => ((await get('/health')).server === 'last' ? true : undefined));
  });

  it('stops in order, with connections of all kinds open', async () => {
    const watch = new EtcdWatchStream(named(member), securely());
    watch.create({ key: Buffer.from('stop') });
    await watch.next();
    expect(existsSync(join(cluster.dataDirOf(member), 'own-socket'))).toBe(true);
    expect(await cluster.end(member, 'SIGTERM')).toBe(0);
    watch.close();
    expect(existsSync(join(cluster.dataDirOf(member), 'own-socket'))).toBe(false);
  });

  function securely() {
    const { ca, cert = '', key = '' } = shown;
    return credentials.createSsl(Buffer.from(ca), Buffer.from(key), Buffer.from(cert));
  }
});

describe('A member that shows a certificate', () => {
  it('takes clients without one, if it was not told to want theirs', async () => {
    use(authority.issue('member'));
    const args = ['--client-cert-file', used.certFile, '--client-key-file', used.keyFile];
    const cluster = await ProcessCluster.start({ members: 1, args, tls: { ca: authority.ca } });
    try {
      const [{ clientAddress } = { clientAddress: '' }] = cluster.members;
      await cluster.client().put('a', '1');
      expect(await callHttps(clientAddress, '/health', shownOf(authority.ca))).toMatchObject({ status: 200 });
    } finally {
      await cluster.stop();
    }
  });
});
