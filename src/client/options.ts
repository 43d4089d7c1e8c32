/** What a client can be told, the defaults, and how endpoints are written. */
import { QuorateError } from '../base/error';

/** Where quorate listens for clients unless told otherwise. */
export const DEFAULT_CLIENT_PORT = 2379;

/** Options of a client. */
export interface ClientOptions {
  /** Members to talk to, each `host:port`; one or more. The first that can be reached is used until it fails. */
  readonly endpoints: readonly string[];
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
export type ResolvedClientOptions = Required<ClientOptions>;

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
  const resolved = {
    timeoutMs: 5_000,
    maxAttempts: 10,
    connectTimeoutMs: 2_000,
    maxBackoffMs: 1_000,
    ...options,
    endpoints: options.endpoints.map(parseEndpoint),
  };
  if (resolved.endpoints.length === 0) throw invalid('endpoints', 'at least one endpoint is needed');
  for (const field of ['timeoutMs', 'maxAttempts', 'connectTimeoutMs', 'maxBackoffMs'] as const) {
    if (!Number.isSafeInteger(resolved[field]) || resolved[field] < 1) {
      throw invalid(field, `${field} must be a whole number, 1 or more`);
    }
  }
  return resolved;
}

/**
 * Reads one endpoint: `host:port`, `[ipv6]:port`, or a host alone (port 2379); `http://` in front is ignored.
 *
 * @returns `host:port`
 * @throws QuorateError `invalid-argument`
 */
export function parseEndpoint(text: string): string {
  const bare = text
    .trim()
    .replace(/^http:\/\//, '')
    .replace(/\/$/, '');
  const match = /^(\[[0-9a-fA-F:.]+\]|[^\s:/[\]]+)(?::(\d{1,5}))?$/.exec(bare);
  const port = match?.[2] === undefined ? DEFAULT_CLIENT_PORT : Number(match[2]);
  if (match?.[1] === undefined || port < 1 || port > 65_535) {
    throw invalid('endpoints', `'${text}' is not an endpoint; write host:port, for example 127.0.0.1:2379`);
  }
  return `${match[1]}:${String(port)}`;
}

function invalid(field: string, message: string): QuorateError {
  return new QuorateError('invalid-argument', message, { details: { field } });
}
