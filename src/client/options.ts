/** What a client can be told, the defaults, and how endpoints are written. */
import { QuorateError } from '../base/error';
import { resolveTls, type ClientTlsOptions, type ResolvedTls } from './tls';

/** Where quorate listens for clients unless told otherwise. */
export const DEFAULT_CLIENT_PORT = 2379;

/** Options of a client. */
export interface ClientOptions {
  /**
   * Members to talk to, each `host:port`; one or more. The first that can be reached is used until it fails. Written as
   * `https://host:port` it means TLS, with all of them; as `http://host:port`, none.
   */
  readonly endpoints: readonly string[];
  /** TLS with all members; `true` with the defaults. Default: only if an endpoint is written with `https://`. */
  readonly tls?: ClientTlsOptions | boolean;
  /** Time for one call with all its attempts, in milliseconds, 1 or more. Default 5000. */
  readonly timeoutMs?: number;
  /** Most attempts of one call, the first included, 1 or more. Default 10. */
  readonly maxAttempts?: number;
  /** Most time for opening a connection before the next endpoint is tried, in milliseconds. Default 2000. */
  readonly connectTimeoutMs?: number;
  /** Largest pause between two attempts, in milliseconds. Default 1000. */
  readonly maxBackoffMs?: number;
}

/** Options with every default filled in. */
export interface ResolvedClientOptions extends Required<Omit<ClientOptions, 'tls'>> {
  /** Nothing for plain text. */
  readonly tls?: ResolvedTls;
}

/** The largest answer taken, in bytes: more than any member sends in one page. */
export const MAX_ANSWER_BYTES = 64 * 1024 * 1024;

/** The first pause between two attempts, before jitter. */
export const FIRST_BACKOFF_MS = 25;

/**
 * Fills in the defaults and checks.
 *
 * @throws QuorateError `invalid-argument`
 */
export function resolveOptions(options: ClientOptions): ResolvedClientOptions {
  const { tls, endpoints: texts, ...numbers } = options;
  const endpoints = texts.map(readEndpoint);
  const resolved = {
    timeoutMs: 5_000,
    maxAttempts: 10,
    connectTimeoutMs: 2_000,
    maxBackoffMs: 1_000,
    ...numbers,
    endpoints: endpoints.map(({ address }) => address),
  };
  if (resolved.endpoints.length === 0) throw invalid('endpoints', 'at least one endpoint is needed');
  for (const field of ['timeoutMs', 'maxAttempts', 'connectTimeoutMs', 'maxBackoffMs'] as const) {
    if (!Number.isSafeInteger(resolved[field]) || resolved[field] < 1) {
      throw invalid(field, `${field} must be a whole number, 1 or more`);
    }
  }
  return wantsTls(endpoints, tls) ? { ...resolved, tls: resolveTls(typeof tls === 'object' ? tls : {}) } : resolved;
}

/**
 * Reads one endpoint: `host:port`, `[ipv6]:port`, or a host alone (port 2379); `http://` or `https://` in front is left out.
 *
 * @returns `host:port`
 * @throws QuorateError `invalid-argument`
 */
export function parseEndpoint(text: string): string {
  return readEndpoint(text).address;
}

interface WrittenEndpoint {
  readonly address: string;
  readonly scheme: 'http' | 'https' | undefined;
}

function readEndpoint(text: string): WrittenEndpoint {
  const match = /^(?:(https?):\/\/)?(\[[0-9a-fA-F:.]+\]|[^\s:/[\]]+)(?::(\d{1,5}))?\/?$/.exec(text.trim());
  const port = match?.[3] === undefined ? DEFAULT_CLIENT_PORT : Number(match[3]);
  if (match?.[2] === undefined || port < 1 || port > 65_535) {
    throw invalid('endpoints', `'${text}' is not an endpoint; write host:port, for example 127.0.0.1:2379`);
  }
  return { address: `${match[2]}:${String(port)}`, scheme: match[1] as WrittenEndpoint['scheme'] };
}

/** Whether to speak TLS: with all endpoints, or with none. */
function wantsTls(endpoints: readonly WrittenEndpoint[], tls: ClientOptions['tls'] = false): boolean {
  const schemes = new Set(endpoints.map(({ scheme }) => scheme));
  if (schemes.has('http') && (schemes.has('https') || tls !== false)) {
    const other = schemes.has('https') ? 'others have https://' : 'the option tls is given';
    throw invalid(
      'endpoints',
      `an endpoint has http://, and ${other}: a client speaks TLS with all members or with none`,
    );
  }
  return schemes.has('https') || tls !== false;
}

function invalid(field: string, message: string): QuorateError {
  return new QuorateError('invalid-argument', message, { details: { field } });
}
