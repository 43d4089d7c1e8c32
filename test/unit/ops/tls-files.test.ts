/** The files of TLS: what is refused, and what happens when they are replaced. */
import { copyFileSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import { QuorateError } from '../../../src/base/error';
import type { LogFields, Logger } from '../../../src/base/logger';
import { TlsFiles } from '../../../src/ops/tls-files';
import { readAuthorities } from '../../../src/ops/tls-identity';
import { type CertificateFiles, TestAuthority } from '../../support/certificates';
import { FakeTime } from '../../support/fake-time';

const authority = new TestAuthority();
const first = authority.issue('first');
const second = authority.issue('second');
afterAll(() => authority.remove());

const certFile = authority.path('tls.pem');
const keyFile = authority.path('tls.key');
const caFile = authority.path('trusted.pem');

let time: FakeTime;
let log: string[];
let stop: (() => void)[];

function place({ certFile: cert, keyFile: key }: CertificateFiles): void {
  copyFileSync(cert, certFile);
  copyFileSync(key, keyFile);
  copyFileSync(authority.caFile, caFile);
}

beforeEach(() => {
  time = new FakeTime();
  log = [];
  stop = [];
  place(first);
});
afterEach(() => {
  for (const each of stop) each();
});

const note = (level: string) => (fields: LogFields, message: string) =>
  void log.push(`${level}: ${message}${fields['reason'] === undefined ? '' : `: ${String(fields['reason'])}`}`);
const logger: Logger = { debug: note('debug'), info: note('info'), warn: note('warn'), error: note('error') };

const named = (flag: string, path: string) => ({ flag, path });

function follow(cert = certFile, key = keyFile): TlsFiles {
  const files = new TlsFiles({
    names: {
      certificate: named('client-cert-file', cert),
      key: named('client-key-file', key),
      trusted: named('client-ca-file', caFile),
    },
    scheduler: time,
    wallClock: Date.now,
    logger,
  });
  files.start();
  stop.push(() => files.stop());
  return files;
}

function refusal(make: () => unknown): QuorateError {
  try {
    make();
  } catch (error) {
    if (error instanceof QuorateError) return error;
    throw error;
  }
  throw new Error('the files should have been refused');
}

const half = (path: string) => readFileSync(path, 'utf8').slice(0, 200);

describe('files of TLS at the start', () => {
  it('are read as they are', () => {
    expect(follow().current).toEqual({
      certificate: readFileSync(first.certFile, 'utf8'),
      key: readFileSync(first.keyFile, 'utf8'),
      trusted: authority.ca,
    });
    expect(log).toEqual([]);
  });

  it.each([
    ['client-cert-file', 'is missing', () => rmSync(certFile), /cannot be read: .*ENOENT/],
    ['client-cert-file', 'is empty', () => writeFileSync(certFile, ''), /holds no certificate in PEM/],
    ['client-cert-file', 'is a key', () => copyFileSync(first.keyFile, certFile), /holds no certificate in PEM/],
    ['client-cert-file', 'is half written', () => writeFileSync(certFile, half(certFile)), /ends in the middle/],
    [
      'client-cert-file',
      'holds nonsense',
      () => writeFileSync(certFile, '-----BEGIN CERTIFICATE-----\nbm9uc2Vuc2U=\n-----END CERTIFICATE-----\n'),
      /certificate that cannot be read/,
    ],
    ['client-key-file', 'is missing', () => rmSync(keyFile), /cannot be read: .*ENOENT/],
    ['client-key-file', 'is no key', () => writeFileSync(keyFile, 'no key'), /holds no private key in PEM/],
    ['client-key-file', 'is half written', () => writeFileSync(keyFile, half(keyFile)), /private key that cannot be/],
    ['client-key-file', 'has a passphrase', () => encryptKey(), /private key that cannot be read/],
    ['client-key-file', 'is of another', () => copyFileSync(second.keyFile, keyFile), /is not the key of the cert/],
    ['client-ca-file', 'is missing', () => rmSync(caFile), /cannot be read: .*ENOENT/],
    ['client-ca-file', 'is empty', () => writeFileSync(caFile, ''), /holds no certificate in PEM/],
  ] as const)('are refused when --%s %s, naming option, file and reason', (flag, _, spoil, reason) => {
    spoil();
    const error = refusal(() => follow());
    expect(error.code).toBe('refused-to-start');
    const path = { 'client-cert-file': certFile, 'client-key-file': keyFile, 'client-ca-file': caFile }[flag];
    expect(error.details).toMatchObject({ field: flag, actual: path });
    expect(error.message.startsWith(`--${flag} ${path} `)).toBe(true);
    expect(error.message).toMatch(reason);
  });

  it('are taken when the certificate has expired, with a warning', () => {
    place(authority.issue('late', { expired: true }));
    follow();
    expect(log).toEqual([expect.stringMatching(/^warn: .*--client-cert-file \S+ has expired: it was valid until/)]);
  });

  it('may hold what stands between the certificate and its authority', () => {
    writeFileSync(certFile, readFileSync(first.certFile, 'utf8') + authority.ca);
    expect(follow().current.certificate).toContain(authority.ca);
  });
});

describe('authorities alone', () => {
  it('are refused when there is none in the file', () => {
    expect(readAuthorities(named('join-ca-file', caFile))).toBe(authority.ca);
    writeFileSync(caFile, '');
    expect(refusal(() => readAuthorities(named('join-ca-file', caFile))).details.field).toBe('join-ca-file');
  });
});

describe('files of TLS that are replaced', () => {
  it('are taken up, and whoever uses them is told once', async () => {
    const files = follow();
    const seen: string[] = [];
    files.onChange(() => seen.push(files.current.certificate));
    await time.pass(60_000);
    expect(seen).toEqual([]);
    place(second);
    await time.pass(60_000);
    expect(seen).toEqual([readFileSync(second.certFile, 'utf8')]);
    expect(files.current.key).toBe(readFileSync(second.keyFile, 'utf8'));
    expect(log).toEqual(['info: new files for TLS are in use for new connections']);
  });

  it('are nothing new when they hold the same', async () => {
    const files = follow();
    files.onChange(() => log.push('told'));
    place(first);
    await time.pass(60_000);
    expect(log).toEqual([]);
  });

  it('stay what they were while the replacement cannot be used, which is logged once', async () => {
    const files = follow();
    const before = files.current;
    copyFileSync(second.certFile, certFile);
    await time.pass(60_000);
    expect(files.current).toBe(before);
    expect(log).toEqual([expect.stringMatching(/^warn: .*the old ones stay in use: --client-key-file/)]);
    rmSync(keyFile);
    await time.pass(60_000);
    expect(log).toEqual([expect.anything(), expect.stringMatching(/ENOENT/)]);
    copyFileSync(second.keyFile, keyFile);
    await time.pass(60_000);
    expect(files.current.certificate).toBe(readFileSync(second.certFile, 'utf8'));
    expect(log.slice(2)).toEqual(['info: new files for TLS are in use for new connections']);
  });

  it('may be reached through a symbolic link to a directory that is turned, as in Kubernetes', async () => {
    for (const [name, { certFile: cert, keyFile: key }] of Object.entries({ first, second })) {
      mkdirSync(authority.path(name));
      copyFileSync(cert, authority.path(`${name}/tls.crt`));
      copyFileSync(key, authority.path(`${name}/tls.key`));
    }
    symlinkSync('first', authority.path('data'));
    symlinkSync('second', authority.path('data.new'));
    const files = follow(authority.path('data/tls.crt'), authority.path('data/tls.key'));
    expect(files.current.certificate).toBe(readFileSync(first.certFile, 'utf8'));
    renameSync(authority.path('data.new'), authority.path('data'));
    await time.pass(10_000);
    expect(files.current.certificate).toBe(readFileSync(second.certFile, 'utf8'));
  });

  it('are left alone once it is stopped', async () => {
    const files = follow();
    files.stop();
    expect(time.timers).toBe(0);
  });
});

function encryptKey(): void {
  execFileSync('openssl', ['pkey', '-in', first.keyFile, '-aes256', '-passout', 'pass:secret', '-out', keyFile]);
}
