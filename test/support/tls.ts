/** Identities for TLS in tests: from files, and replaceable while they are in use. */
import { readFileSync } from 'node:fs';
import type { TlsIdentity, TlsSource } from '../../src/base/tls';
import type { CertificateFiles, TestAuthority } from './certificates';

/** What `files` hold, with trust in what `trusted` has signed. */
export function identityOf({ certFile, keyFile }: CertificateFiles, trusted: TestAuthority): TlsIdentity {
  return { certificate: readFileSync(certFile, 'utf8'), key: readFileSync(keyFile, 'utf8'), trusted: trusted.ca };
}

export class ReplaceableIdentity implements TlsSource {
  current: TlsIdentity;
  readonly #listeners: (() => void)[] = [];

  constructor(identity: TlsIdentity) {
    this.current = identity;
  }

  onChange(listener: () => void): void {
    this.#listeners.push(listener);
  }

  replace(identity: TlsIdentity): void {
    this.current = identity;
    for (const listener of this.#listeners) listener();
  }
}
