/** What one side of TLS shows and trusts, in the words of Node. */
import { createSecureContext, type SecureContext } from 'node:tls';
import type { TlsIdentity } from '../base/tls';

/** The oldest version of TLS that is spoken. */
export const minTlsVersion = 'TLSv1.2';

/** A client that shows nothing has no certificate and no key. */
export function contextOptions({ certificate, key, trusted }: Partial<TlsIdentity>) {
  return { cert: certificate, key, ca: trusted, minVersion: minTlsVersion } as const;
}

/**
 * The same, made ready.
 *
 * @throws Error if the key does not belong to the certificate, or something is not PEM
 */
export function contextOf(identity: Partial<TlsIdentity>): SecureContext {
  return createSecureContext(contextOptions(identity));
}
