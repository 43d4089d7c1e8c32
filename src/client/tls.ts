/** How a client speaks TLS: its options, checked and made ready. */
import { createPrivateKey, X509Certificate, type KeyObject } from 'node:crypto';
import type { SecureContext } from 'node:tls';
import { QuorateError } from '../base/error';
import { contextOf } from '../tls/context';

/** Text or bytes in PEM. */
export type Pem = string | Buffer;

/** How a client speaks TLS. Certificates and keys are contents, not names of files. */
export interface ClientTlsOptions {
  /** Authorities of the members' certificates, one or more. Default: those that come with Node.js. */
  readonly ca?: Pem;
  /**
   * The certificate that the client shows, followed by those between it and its authority. Needs `key`. Members with
   * `--client-ca-file` talk to nobody without one.
   */
  readonly cert?: Pem;
  /** The key of `cert`, not encrypted. */
  readonly key?: Pem;
  /** The name or IP address that the members' certificates must carry. Default: the host of each endpoint. */
  readonly serverName?: string;
  /**
   * Takes any certificate. Nobody can read what is sent, but whoever answers may be anybody: for tests only. Default
   * false.
   */
  readonly insecureSkipVerify?: boolean;
}

/** Options of TLS, checked, with what every connection needs. */
export interface ResolvedTls {
  readonly context: SecureContext;
  readonly serverName: string | undefined;
  readonly takesAny: boolean;
}

/**
 * Checks the options of TLS and makes them ready.
 *
 * @throws QuorateError `invalid-argument`
 */
export function resolveTls(options: ClientTlsOptions): ResolvedTls {
  const { serverName, insecureSkipVerify: takesAny = false } = options;
  if (serverName?.trim() === '')
    throw invalid('tls.serverName', 'is empty; leave it out to take the host of the endpoint');
  const trusted = options.ca?.toString();
  if (trusted !== undefined) checkCertificates('tls.ca', trusted);
  const identity = identityOf(options);
  return { context: contextOf({ ...identity, ...(trusted === undefined ? {} : { trusted }) }), serverName, takesAny };
}

function identityOf({
  cert,
  key,
}: ClientTlsOptions): { readonly certificate: string; readonly key: string } | undefined {
  if (cert === undefined && key === undefined) return undefined;
  if (cert === undefined) throw invalid('tls.cert', 'is missing, and tls.key is given: both are needed, or neither');
  if (key === undefined) throw invalid('tls.key', 'is missing, and tls.cert is given: both are needed, or neither');
  const [certificate] = checkCertificates('tls.cert', cert.toString());
  if (certificate?.checkPrivateKey(readKey(key)) !== true) throw invalid('tls.key', 'does not belong to tls.cert');
  return { certificate: cert.toString(), key: key.toString() };
}

function checkCertificates(field: string, pem: string): readonly X509Certificate[] {
  const texts = pem.match(/-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----/gs);
  if (texts === null) throw invalid(field, 'holds no certificate in PEM (-----BEGIN CERTIFICATE-----)');
  try {
    return texts.map((text) => new X509Certificate(text));
  } catch (cause) {
    throw invalid(field, `holds a certificate that cannot be read: ${messageOf(cause)}`, cause);
  }
}

function readKey(pem: Pem): KeyObject {
  try {
    return createPrivateKey(pem.toString());
  } catch (cause) {
    throw invalid('tls.key', `holds no key in PEM that can be read, or is encrypted: ${messageOf(cause)}`, cause);
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function invalid(field: string, problem: string, cause?: unknown): QuorateError {
  return new QuorateError('invalid-argument', `${field} ${problem}`, { details: { field }, cause });
}
