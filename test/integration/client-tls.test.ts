/** The client in TLS: what it says when a connection is not made, and that nothing was done then. The verbs of the CLI, too. */
import { execFile } from 'node:child_process';
import { createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { QuorateClient, type ClientOptions } from '../../src/client';
import { type CertificateFiles, TestAuthority } from '../support/certificates';
import { shownOf } from '../support/https-caller';
import { ProcessCluster } from '../support/process-cluster';
import { until } from '../support/transport';

const ours = new TestAuthority('ours');
const foreign = new TestAuthority('foreign');
const known = ours.issue('client', { usage: 'client', names: [] });
const program = join(__dirname, '../../dist/main.js');

afterAll(() => {
  ours.remove();
  foreign.remove();
});

/** One member with this certificate. */
function startMember(files: CertificateFiles | undefined, clientCa?: string): Promise<ProcessCluster> {
  const flags = files === undefined ? [] : ['--client-cert-file', files.certFile, '--client-key-file', files.keyFile];
  const args = clientCa === undefined ? flags : [...flags, '--client-ca-file', clientCa];
  return ProcessCluster.start({
    members: 1,
    args,
    ...(files === undefined ? {} : { tls: { ...shownOf(ours.ca, known), insecureSkipVerify: true } }),
  });
}

const addressOf = (cluster: ProcessCluster) => cluster.members[0]?.clientAddress ?? '';

/** How a put ends. */
function put(cluster: ProcessCluster, tls: ClientOptions['tls'], scheme = ''): Promise<unknown> {
  return putAt(scheme + addressOf(cluster), tls);
}

async function putAt(endpoint: string, tls: ClientOptions['tls']): Promise<unknown> {
  const options = { timeoutMs: 1_000, maxAttempts: 2, ...(tls === undefined ? {} : { tls }) };
  const client = new QuorateClient({ ...options, endpoints: [endpoint] });
  try {
    await client.put('k', 'v', { requestId: false });
    return 'done';
  } catch (error: unknown) {
    return error;
  } finally {
    client.close();
  }
}

const notDone = (reason: string | RegExp): unknown =>
  expect.objectContaining({
    code: 'unreachable',
    outcome: 'not-done',
    message: expect.stringMatching(reason) as string,
  });

/** Said by the member, or else what the client makes of it when the connection is reset first. */
const wantsCertificate = /wants? to see a certificate/;

/** Has a server listen; returns where it speaks TLS, or should. */
async function listening(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `https://127.0.0.1:${String((server.address() as { port: number }).port)}`;
}

async function withMember(starting: Promise<ProcessCluster>, test: (cluster: ProcessCluster) => Promise<void>) {
  const cluster = await starting;
  try {
    await test(cluster);
  } finally {
    await cluster.stop();
  }
}

describe('a client in TLS', () => {
  it('says why members with certificates do not take it, or it does not take them', async () => {
    await withMember(startMember(ours.issue('member'), ours.caFile), async (cluster) => {
      const shown = shownOf(ours.ca, known);
      expect(await put(cluster, shown)).toBe('done');
      expect(await put(cluster, { ...shown, serverName: 'localhost' }, 'https://')).toBe('done');
      expect(await put(cluster, { ...shown, ca: foreign.ca, insecureSkipVerify: true })).toBe('done');
      expect(await put(cluster, { ...shown, ca: foreign.ca })).toEqual(
        notDone('not signed by an authority trusted here'),
      );
      expect(await put(cluster, { ca: ours.ca })).toEqual(notDone(wantsCertificate));
      expect(await put(cluster, { ...shown, serverName: 'other.example' })).toEqual(notDone('for other names'));
      const stranger = shownOf(ours.ca, foreign.issue('stranger'));
      expect(await put(cluster, stranger)).toEqual(notDone('may not accept the certificate'));
      expect(await put(cluster, undefined, 'https://')).toEqual(notDone('not signed by an authority trusted here'));
      expect(await put(cluster, undefined, 'http://')).toEqual(notDone('or expects TLS'));
      expect(await put(cluster, undefined)).toEqual(notDone('or expects TLS'));
    });
  });

  it('says that a certificate has expired', async () => {
    await withMember(startMember(ours.issue('member', { expired: true })), async (cluster) => {
      expect(await put(cluster, { ca: ours.ca })).toEqual(notDone('its certificate has expired'));
    });
  });

  it('says that there is no TLS', async () => {
    await withMember(startMember(undefined), async (cluster) => {
      expect(await put(cluster, { ca: ours.ca })).toEqual(notDone('does not speak TLS there'));
    });
  });

  it('says what a reset may mean: it can overtake what a member that refuses a certificate says', async () => {
    const resetting = createServer((socket) => {
      socket.on('error', () => undefined).once('data', () => socket.resetAndDestroy());
    });
    const refused = await putAt(await listening(resetting), undefined);
    resetting.close();
    expect(refused).toEqual(notDone('may not accept the certificate'));
    expect(refused).toEqual(notDone(wantsCertificate));
  });

  it('leaves nothing behind when it is closed in the middle of a handshake', async () => {
    const open = new Set<Socket>();
    const silent = createServer((socket) => {
      open.add(socket);
      socket
        .on('error', () => undefined)
        .on('close', () => open.delete(socket))
        .resume();
    });
    const client = new QuorateClient({ endpoints: [await listening(silent)], timeoutMs: 400, maxAttempts: 1 });
    await expect(client.get('k')).rejects.toMatchObject({ code: 'unreachable' });
    expect(open.size).toBe(1);
    client.close();
    await until(() => open.size === 0, 'the connection is closed', 2_000);
    silent.close();
  });
});

describe('verbs of the command line in TLS', () => {
  interface Run {
    readonly code: number | string | null | undefined;
    readonly out: string;
    readonly err: string;
  }

  function run(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Run> {
    return new Promise((resolve) => {
      const options = { env: { ...process.env, ...env }, timeout: 20_000 };
      execFile(process.execPath, [program, ...args], options, (error, out, err) => {
        resolve({ code: error === null ? 0 : error.code, out, err });
      });
    });
  }

  it('take files and say which one is wrong', async () => {
    await withMember(startMember(ours.issue('member'), ours.caFile), async (cluster) => {
      const endpoints = ['--endpoints', addressOf(cluster)];
      const own = ['--cert-file', known.certFile, '--key-file', known.keyFile];
      const flags = [...endpoints, '--ca-file', ours.caFile, ...own];
      expect(await run(['put', 'k', 'v', ...flags])).toMatchObject({ code: 0, err: '' });
      const env = { QUORATE_CA_FILE: ours.caFile, QUORATE_CERT_FILE: known.certFile, QUORATE_KEY_FILE: known.keyFile };
      expect(await run(['get', 'k', '--endpoints', `https://${addressOf(cluster)}`], env)).toMatchObject({
        out: 'v\n',
      });
      expect(await run(['get', 'k', ...endpoints, ...own, '--insecure-skip-verify'])).toMatchObject({ out: 'v\n' });
      expect(await run(['status', '--check', ...flags])).toMatchObject({ code: 0, err: '' });

      const refused = async (args: readonly string[]) => (await run(['get', 'k', '--timeout', '500', ...args])).err;
      expect(await refused([...endpoints, '--ca-file', '/nowhere'])).toContain(
        '--ca-file /nowhere cannot be read: ENOENT',
      );
      expect(await refused([...endpoints, '--ca-file', known.keyFile])).toContain(
        `--ca-file holds no certificate in PEM`,
      );
      expect(await refused([...endpoints, '--ca-file', known.keyFile])).toContain(known.keyFile);
      expect(await refused([...endpoints, '--key-file', known.keyFile])).toContain('cert-file is missing');
      expect(await refused([...endpoints, '--ca-file', ours.caFile])).toMatch(wantsCertificate);
      expect(await refused([...flags, '--server-name', 'other.example'])).toContain('for other names');
    });
  });
});
