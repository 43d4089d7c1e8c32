/** Reads the files of one side of TLS and finds out whether they can be used; says of each what is wrong with it. */
import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import type { QuorateError } from '../base/error';
import type { TlsIdentity } from '../base/tls';
import { refusal } from './option-spec';

/** A file, and the option that names it. */
export interface NamedFile {
  /** Without its dashes. */
  readonly flag: string;
  readonly path: string;
}

/** The files of a `TlsIdentity`. */
export interface TlsFileNames {
  readonly certificate: NamedFile;
  readonly key: NamedFile;
  readonly trusted: NamedFile | undefined;
}

/**
 * Reads an identity.
 *
 * @throws QuorateError `refused-to-start` that names option, file and reason
 */
export function readIdentity({ certificate, key, trusted }: TlsFileNames): TlsIdentity {
  const identity = {
    certificate: readText(certificate),
    key: readText(key),
    trusted: trusted === undefined ? undefined : readText(trusted),
  };
  const [own] = certificatesIn(identity.certificate, certificate);
  if (trusted !== undefined) certificatesIn(identity.trusted ?? '', trusted);
  if (own?.checkPrivateKey(privateKeyIn(identity.key, key)) !== true) {
    throw wrong(key, `is not the key of the certificate in ${certificate.path}`, 'the key of the certificate');
  }
  refuseUnusable(identity, certificate);
  return identity;
}

/**
 * Reads authorities alone.
 *
 * @throws QuorateError `refused-to-start` that names option, file and reason
 */
export function readAuthorities(file: NamedFile): string {
  const text = readText(file);
  certificatesIn(text, file);
  return text;
}

/** What of an identity is outside the time it is made for: a sentence for each file. Of authorities, one in time is enough. */
export function outOfTime(names: TlsFileNames, identity: TlsIdentity, now: number): readonly string[] {
  const [own] = certificatesIn(identity.certificate, names.certificate);
  const problems = own === undefined ? [] : [[names.certificate, timeProblem(own, now)] as const];
  if (names.trusted !== undefined && identity.trusted !== undefined) {
    const each = certificatesIn(identity.trusted, names.trusted).map((authority) => timeProblem(authority, now));
    if (!each.includes(undefined)) problems.push([names.trusted, each[0]]);
  }
  return problems.flatMap(([file, problem]) => (problem === undefined ? [] : [`${nameOf(file)} ${problem}`]));
}

function timeProblem({ validFrom, validTo }: X509Certificate, now: number): string | undefined {
  if (now > Date.parse(validTo)) return `has expired: it was valid until ${validTo}`;
  if (now < Date.parse(validFrom)) return `is not valid yet: it will be from ${validFrom}`;
  return undefined;
}

function readText(file: NamedFile): string {
  try {
    return readFileSync(file.path, 'utf8');
  } catch (cause) {
    throw wrong(file, `cannot be read: ${reasonOf(cause)}`, 'a readable file');
  }
}

const begin = '-----BEGIN CERTIFICATE-----';
const wholeCertificate = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/** At least one. All must be whole: a file that is being written may end in the middle of one. */
function certificatesIn(text: string, file: NamedFile): readonly X509Certificate[] {
  const limit = 'certificates in PEM';
  const pieces = text.match(wholeCertificate) ?? [];
  if (pieces.length < text.split(begin).length - 1) throw wrong(file, 'ends in the middle of a certificate', limit);
  if (pieces.length === 0) throw wrong(file, 'holds no certificate in PEM', limit);
  try {
    return pieces.map((piece) => new X509Certificate(piece));
  } catch (cause) {
    throw wrong(file, `holds a certificate that cannot be read: ${reasonOf(cause)}`, limit);
  }
}

function privateKeyIn(text: string, file: NamedFile): KeyObject {
  const limit = 'a private key in PEM, without a passphrase';
  if (!/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(text)) throw wrong(file, 'holds no private key in PEM', limit);
  try {
    return createPrivateKey(text);
  } catch (cause) {
    throw wrong(file, `holds a private key that cannot be read: ${reasonOf(cause)}`, limit);
  }
}

/** What only OpenSSL knows: keys that are too short, signatures that are too weak. */
function refuseUnusable({ certificate, key, trusted }: TlsIdentity, file: NamedFile): void {
  try {
    createSecureContext({ cert: certificate, key, ca: trusted });
  } catch (cause) {
    throw wrong(file, `cannot be used: ${reasonOf(cause)}`, 'a certificate that OpenSSL accepts');
  }
}

function wrong(file: NamedFile, problem: string, limit: string): QuorateError {
  return refusal(file.flag, `${nameOf(file)} ${problem}`, limit, file.path);
}

function nameOf({ flag, path }: NamedFile): string {
  return `--${flag} ${path}`;
}

function reasonOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
