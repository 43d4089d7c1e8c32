/** What an attempt that gave no answer tells: decoded from a gRPC status and the details in its trailer. */
import type { ErrorCode, ErrorDetails, Outcome } from '../base/error';
import { ErrorInfo, RetryInfo } from '../gen/google/rpc/error_details';
import { Status } from '../gen/google/rpc/status';

/** The domain of the reasons that quorate's own members give. */
export const ERROR_DOMAIN = 'quorate.dev';

/** Why one attempt gave no answer. */
export type Failure =
  /** No connection was there and none could be opened: nothing was sent. */
  | { readonly kind: 'not-connected'; readonly address: string; readonly message: string }
  /** A member answered with one of quorate's own errors. */
  | {
      readonly kind: 'told';
      /** `undefined` when a newer member gives a reason this client does not know. */
      readonly code: ErrorCode | undefined;
      readonly outcome: Outcome;
      readonly message: string;
      readonly details: ErrorDetails;
    }
  /** The call ended with a status that says nothing of the effect: a lost connection, a passed deadline, a stranger. */
  | { readonly kind: 'bare'; readonly address: string; readonly grpcCode: number; readonly message: string };

/** The parts of a gRPC error that are looked at. */
export interface StatusParts {
  /** Who was called, `host:port`. */
  readonly address: string;
  readonly grpcCode: number;
  readonly message: string;
  /** The trailer `grpc-status-details-bin`, if there was one. */
  readonly statusDetails: Uint8Array | undefined;
}

/** Tells what a gRPC error means. Details that cannot be read count as absent: they promise nothing. */
export function decodeFailure(parts: StatusParts): Failure {
  const { address, grpcCode, message, statusDetails } = parts;
  const status = statusDetails === undefined ? undefined : readStatus(statusDetails);
  const told = status === undefined ? undefined : decodeStatus(status, message);
  return told ?? { kind: 'bare', address, grpcCode, message };
}

/** Tells what a status that a member wrote means; `undefined` if it promises nothing. */
export function decodeStatus(status: Status, message = status.message): (Failure & { kind: 'told' }) | undefined {
  const told = readDetails(status);
  if (told?.info === undefined) return undefined;
  const { reason, metadata } = told.info;
  return {
    kind: 'told',
    code: knownCodes.get(reason),
    outcome: metadata['outcome'] === 'not-done' ? 'not-done' : 'unknown',
    message,
    details: toDetails(metadata, told.retryAfterMs),
  };
}

/** The reason on the wire of one of our codes: `no-leader` is `NO_LEADER`. */
export function reasonOf(code: ErrorCode): string {
  return code.toUpperCase().replaceAll('-', '_');
}

// A record, so that the compiler demands every code.
const allCodes: Readonly<Record<ErrorCode, true>> = {
  'invalid-argument': true,
  'no-leader': true,
  'no-quorum': true,
  'outcome-unknown': true,
  superseded: true,
  'deadline-exceeded': true,
  overloaded: true,
  'change-refused': true,
  stopping: true,
  'wrong-cluster': true,
  damaged: true,
  'refused-to-start': true,
  'snapshot-failed': true,
  compacted: true,
  'future-revision': true,
  'precondition-failed': true,
  'not-found': true,
  'already-exists': true,
  'no-space': true,
  corrupt: true,
  'request-expired': true,
  'request-mismatch': true,
  unreachable: true,
};

const knownCodes: ReadonlyMap<string, ErrorCode> = new Map(
  (Object.keys(allCodes) as ErrorCode[]).map((code) => [reasonOf(code), code]),
);

interface Told {
  readonly info: ErrorInfo | undefined;
  readonly retryAfterMs: number | undefined;
}

function readStatus(bytes: Uint8Array): Status | undefined {
  try {
    return Status.decode(bytes);
  } catch {
    return undefined;
  }
}

function readDetails({ details }: Status): Told | undefined {
  try {
    const find = (type: string) => details.find((any) => any.typeUrl.endsWith(`/google.rpc.${type}`))?.value;
    const infoBytes = find('ErrorInfo');
    const retryBytes = find('RetryInfo');
    const info = infoBytes === undefined ? undefined : ErrorInfo.decode(infoBytes);
    return {
      info: info?.domain === ERROR_DOMAIN ? info : undefined,
      retryAfterMs: retryBytes === undefined ? undefined : delayMs(RetryInfo.decode(retryBytes)),
    };
  } catch {
    return undefined;
  }
}

function delayMs(info: RetryInfo): number | undefined {
  if (info.retryDelay === undefined) return undefined;
  return Number(info.retryDelay.seconds) * 1_000 + info.retryDelay.nanos / 1_000_000;
}

function toDetails(metadata: Readonly<Record<string, string>>, retryAfterMs: number | undefined): ErrorDetails {
  const leader = metadata['leaderId'];
  const requestTimeMs = Number(metadata['requestTimeMs']);
  return {
    ...(metadata['field'] === undefined ? {} : { field: metadata['field'] }),
    ...(metadata['limit'] === undefined ? {} : { limit: metadata['limit'] }),
    ...(metadata['actual'] === undefined ? {} : { actual: metadata['actual'] }),
    ...(leader !== undefined && /^\d+$/.test(leader) ? { leaderId: BigInt(leader) } : {}),
    ...(requestTimeMs > 0 ? { requestTimeMs } : {}),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  };
}
