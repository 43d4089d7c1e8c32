/** TLS on the command line: the options of every verb with a client, and the files they name. */
import { readFileSync } from 'node:fs';
import { Option, type Command } from 'commander';
import { QuorateError, type ClientTlsOptions } from '../client';

/** What the command line says of TLS. */
export interface ClientTlsFlags {
  readonly caFile?: string;
  readonly certFile?: string;
  readonly keyFile?: string;
  readonly serverName?: string;
  readonly insecureSkipVerify?: boolean;
}

/** Adds the options of TLS. */
export function addTlsOptions(command: Command): Command {
  return command
    .addOption(
      new Option('--ca-file <file>', "authorities of the members' certificates, PEM; this and the next mean TLS").env(
        'QUORATE_CA_FILE',
      ),
    )
    .addOption(new Option('--cert-file <file>', 'the certificate to show to members, PEM').env('QUORATE_CERT_FILE'))
    .addOption(new Option('--key-file <file>', 'its key, PEM, not encrypted').env('QUORATE_KEY_FILE'))
    .addOption(
      new Option('--server-name <name>', "what members' certificates are for, if not the host of the endpoint").env(
        'QUORATE_SERVER_NAME',
      ),
    )
    .addOption(new Option('--insecure-skip-verify', 'TLS with whoever answers, whatever certificate it shows'));
}

/**
 * Reads the files. Any of the options means TLS, and so does an endpoint with `https://`.
 *
 * @returns `false` for plain text
 * @throws QuorateError `invalid-argument` that names option and file
 */
export function clientTlsOf(flags: ClientTlsFlags, endpoints: readonly string[]): ClientTlsOptions | boolean {
  const { serverName, insecureSkipVerify } = flags;
  const options: ClientTlsOptions = {
    ...(flags.caFile === undefined ? {} : { ca: contentOf('--ca-file', flags.caFile) }),
    ...(flags.certFile === undefined ? {} : { cert: contentOf('--cert-file', flags.certFile) }),
    ...(flags.keyFile === undefined ? {} : { key: contentOf('--key-file', flags.keyFile) }),
    ...(serverName === undefined ? {} : { serverName }),
    ...(insecureSkipVerify === undefined ? {} : { insecureSkipVerify }),
  };
  if (Object.keys(options).length > 0) return options;
  return endpoints.some((endpoint) => endpoint.startsWith('https://'));
}

const flagOfField: ReadonlyMap<string, keyof ClientTlsFlags> = new Map([
  ['tls.ca', 'caFile'],
  ['tls.cert', 'certFile'],
  ['tls.key', 'keyFile'],
  ['tls.serverName', 'serverName'],
]);

/** The client names its own options; here the files are named as well that they came from. */
export function withFileNames(error: unknown, flags: ClientTlsFlags): unknown {
  if (!(error instanceof QuorateError)) return error;
  const { message, code, details } = error;
  const flag = flagOfField.get(details.field ?? '');
  if (flag === undefined) return error;
  const named = message.replaceAll(/tls\.(ca|cert|key)\b/g, '--$1-file').replaceAll('tls.serverName', '--server-name');
  const value = flags[flag];
  return new QuorateError(code, value === undefined ? named : `${named}: ${String(value)}`, { details, cause: error });
}

function contentOf(option: string, path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new QuorateError('invalid-argument', `${option} ${path} cannot be read: ${reason}`, {
      details: { field: option.slice(2) },
      cause,
    });
  }
}
