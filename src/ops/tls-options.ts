/** The options about TLS, as a part of the table of all options, and what must hold among them. */
import { type OptionTable, refusal } from './option-spec';
import { text, type ValueKind } from './option-values';

/** The settings about TLS, by the names the code uses. All files are PEM. */
export interface TlsOptions {
  readonly clientCertFile: string | undefined;
  readonly clientKeyFile: string | undefined;
  readonly clientCaFile: string | undefined;
  readonly peerCertFile: string | undefined;
  readonly peerKeyFile: string | undefined;
  readonly peerCaFile: string | undefined;
  readonly peerAllowedNames: readonly string[] | undefined;
  readonly joinCaFile: string | undefined;
}

const file = text('file', 'a path, not empty', /^[^\0]+$/);

/** A comma list of names as certificates have them. */
const namesValue: ValueKind<readonly string[]> = {
  placeholder: 'names',
  limit: 'a comma list of names, none empty',
  parse(value) {
    const names = value.split(',').map((name) => name.trim());
    return names.includes('') ? undefined : names;
  },
};

export const tlsOptionTable: OptionTable<TlsOptions> = {
  clientCertFile: {
    flag: 'client-cert-file',
    kind: file,
    default: undefined,
    whenAbsent: 'clients without TLS',
    help: 'the certificate shown to clients, PEM, with those between it and its authority; clients must then use TLS, for gRPC and HTTP alike',
  },
  clientKeyFile: {
    flag: 'client-key-file',
    kind: file,
    default: undefined,
    whenAbsent: 'none',
    help: 'the key of --client-cert-file, PEM, without a passphrase',
  },
  clientCaFile: {
    flag: 'client-ca-file',
    kind: file,
    default: undefined,
    whenAbsent: 'clients need no certificate',
    help: 'authorities, PEM: every client must show a certificate that one of them has signed',
  },
  peerCertFile: {
    flag: 'peer-cert-file',
    kind: file,
    default: undefined,
    whenAbsent: 'members without TLS among each other',
    help: 'the certificate shown to the other members, PEM; members then talk in mutual TLS only; the same on all members',
  },
  peerKeyFile: {
    flag: 'peer-key-file',
    kind: file,
    default: undefined,
    whenAbsent: 'none',
    help: 'the key of --peer-cert-file, PEM, without a passphrase',
  },
  peerCaFile: {
    flag: 'peer-ca-file',
    kind: file,
    default: undefined,
    whenAbsent: 'none',
    help: "authorities of the members' certificates, PEM",
  },
  peerAllowedNames: {
    flag: 'peer-allowed-names',
    kind: namesValue,
    default: undefined,
    whenAbsent: 'any',
    help: "a member's certificate must carry one of these as DNS name or common name: for when the authority signs certificates for others too",
  },
  joinCaFile: {
    flag: 'join-ca-file',
    kind: file,
    default: undefined,
    whenAbsent: "--client-ca-file, else the system's",
    help: 'with --join, when the clients of that cluster use TLS: the authorities of the certificates its members show to clients, PEM',
  },
};

/**
 * Whoever gives one of these options must give the others.
 *
 * @throws QuorateError `refused-to-start` that names the one that is missing
 */
export function checkTls(options: TlsOptions): void {
  checkNeeds(options, 'clientCertFile', ['clientKeyFile']);
  checkNeeds(options, 'clientKeyFile', ['clientCertFile']);
  checkNeeds(options, 'clientCaFile', ['clientCertFile', 'clientKeyFile']);
  const peerFiles = ['peerCertFile', 'peerKeyFile', 'peerCaFile'] as const;
  for (const given of [...peerFiles, 'peerAllowedNames'] as const) checkNeeds(options, given, peerFiles);
}

function checkNeeds(options: TlsOptions, given: keyof TlsOptions, needed: readonly (keyof TlsOptions)[]): void {
  if (options[given] === undefined) return;
  const missing = needed.find((option) => options[option] === undefined);
  if (missing === undefined) return;
  const { flag } = tlsOptionTable[missing];
  const message = `--${flag} is missing: --${tlsOptionTable[given].flag} is given, which needs it`;
  throw refusal(flag, message, 'a file', 'nothing');
}
