/** Certificates for tests, made by the `openssl` command: an authority, and whatever it signs, as files. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { isIP } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A certificate and its key. */
export interface CertificateFiles {
  readonly certFile: string;
  readonly keyFile: string;
}

/** What a certificate says. */
export interface CertificateWish {
  /** DNS names and IP addresses it is good for; by default those of this machine. */
  readonly names?: readonly string[];
  /** For one side alone, or for both, as members need it (default). */
  readonly usage?: keyof typeof usages;
  /** It is out of time. */
  readonly expired?: boolean;
}

const usages = { client: 'clientAuth', server: 'serverAuth', both: 'clientAuth,serverAuth' } as const;

const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'] as const;

/** An authority with a directory of its own. */
export class TestAuthority {
  readonly directory = mkdtempSync(join(tmpdir(), 'quorate-certificates-'));
  /** Its own certificate: what others must trust. */
  readonly caFile = this.path('ca.pem');
  readonly #caKeyFile = this.path('ca.key');
  #issued = 0;

  constructor(name = 'test authority') {
    const extensions = ['basicConstraints=critical,CA:TRUE', 'keyUsage=critical,keyCertSign,cRLSign'];
    openssl(
      'req',
      '-x509',
      ...newKey,
      '-days',
      '2',
      '-subj',
      `/CN=${name}`,
      '-keyout',
      this.#caKeyFile,
      '-out',
      this.caFile,
      ...extensions.flatMap((it) => ['-addext', it]),
    );
  }

  get ca(): string {
    return readFileSync(this.caFile, 'utf8');
  }

  path(name: string): string {
    return join(this.directory, name);
  }

  /** Signs a new certificate, with the common name `name`. */
  issue(name: string, wish: CertificateWish = {}): CertificateFiles {
    const { names = ['localhost', '127.0.0.1', '::1'], usage = 'both', expired = false } = wish;
    const base = this.path(`${String(++this.#issued)}-${name.replaceAll(/[^A-Za-z0-9.-]/g, '_')}`);
    const files = { certFile: `${base}.pem`, keyFile: `${base}.key` };
    const extensions = [
      'basicConstraints=critical,CA:FALSE',
      `extendedKeyUsage=${usages[usage]}`,
      ...(names.length === 0 ? [] : [`subjectAltName=${names.map(alternativeName).join(',')}`]),
    ];
    openssl(
      'req',
      '-new',
      ...newKey,
      '-subj',
      `/CN=${name}`,
      '-keyout',
      files.keyFile,
      '-out',
      `${base}.csr`,
      ...extensions.flatMap((it) => ['-addext', it]),
    );
    const signing = ['-CA', this.caFile, '-CAkey', this.#caKeyFile, '-copy_extensions', 'copyall'];
    openssl('x509', '-req', '-in', `${base}.csr`, ...signing, '-days', expired ? '-1' : '2', '-out', files.certFile);
    return files;
  }

  remove(): void {
    rmSync(this.directory, { recursive: true, force: true });
  }
}

function alternativeName(name: string): string {
  return isIP(name) === 0 ? `DNS:${name}` : `IP:${name}`;
}

function openssl(...args: readonly string[]): void {
  execFileSync('openssl', args, { stdio: ['ignore', 'pipe', 'pipe'] });
}
