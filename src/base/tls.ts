/** What one side of TLS connections shows and trusts. The interface; the files are read in `ops/`. */

/** Each is PEM. */
export interface TlsIdentity {
  /** The certificate, followed by those between it and its authority. */
  readonly certificate: string;
  readonly key: string;
  /** The authorities of the other side. Without them a server asks for no certificate, and a client trusts the system's. */
  readonly trusted: string | undefined;
}

/** An identity that may be replaced while the program runs. */
export interface TlsSource {
  readonly current: TlsIdentity;
  /** Calls the listener after each replacement, for as long as the program runs. */
  onChange(listener: () => void): void;
}
