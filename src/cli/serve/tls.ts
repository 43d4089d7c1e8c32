/** The TLS of a member: what its options name, read and followed. */
import type { Logger } from '../../base/logger';
import type { TlsSource } from '../../base/tls';
import type { ClientTlsOptions } from '../../client';
import type { ServeOptions } from '../../ops/options';
import { systemScheduler } from '../../ops/system-scheduler';
import { TlsFiles } from '../../ops/tls-files';
import { type NamedFile, readAuthorities, type TlsFileNames } from '../../ops/tls-identity';
import { type TlsOptions, tlsOptionTable } from '../../ops/tls-options';

/** Each is absent where there is no TLS. */
export interface MemberTls {
  readonly clients: TlsSource | undefined;
  readonly peers: TlsSource | undefined;
  /** Reads the files no more. */
  stop(): void;
}

/**
 * Reads all files, and follows them.
 *
 * @throws QuorateError `refused-to-start` that names option, file and reason
 */
export function memberTls(options: ServeOptions, logger: Logger): MemberTls {
  const clientNames = fileNames(options, {
    certificate: 'clientCertFile',
    key: 'clientKeyFile',
    trusted: 'clientCaFile',
  });
  const peerNames = fileNames(options, { certificate: 'peerCertFile', key: 'peerKeyFile', trusted: 'peerCaFile' });
  const [clients, peers] = [clientNames, peerNames].map((names) =>
    names === undefined ? undefined : new TlsFiles({ names, scheduler: systemScheduler, wallClock: Date.now, logger }),
  );
  const files = [clients, peers].filter((each) => each !== undefined);
  for (const each of files) each.start();
  return {
    clients,
    peers,
    stop() {
      for (const each of files) each.stop();
    },
  };
}

/**
 * What a member that joins shows to the members it asks, and who must have signed for them.
 *
 * @throws QuorateError `refused-to-start`
 */
export function joinTls(
  options: TlsOptions,
  { clients }: Pick<MemberTls, 'clients'>,
): { readonly tls?: ClientTlsOptions } {
  const file = fileOf(options, 'joinCaFile');
  if (file === undefined && clients === undefined) return {};
  const ca = file === undefined ? clients?.current.trusted : readAuthorities(file);
  const own = clients === undefined ? {} : { cert: clients.current.certificate, key: clients.current.key };
  return { tls: { ...(ca === undefined ? {} : { ca }), ...own } };
}

type FileOption = Exclude<keyof TlsOptions, 'peerAllowedNames'>;

/** `undefined` when no certificate is named; the options were checked: then nothing is. */
function fileNames(
  options: TlsOptions,
  names: Readonly<Record<keyof TlsFileNames, FileOption>>,
): TlsFileNames | undefined {
  const [certificate, key] = [fileOf(options, names.certificate), fileOf(options, names.key)];
  if (certificate === undefined || key === undefined) return undefined;
  return { certificate, key, trusted: fileOf(options, names.trusted) };
}

function fileOf(options: TlsOptions, option: FileOption): NamedFile | undefined {
  const path = options[option];
  return path === undefined ? undefined : { flag: tlsOptionTable[option].flag, path };
}
