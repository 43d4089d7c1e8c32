/** THE table: what each expected error looks like to a client of the API. `docs/api.md` shows it; a test compares. */
import { Metadata, status } from '@grpc/grpc-js';
import { assert } from '../base/assert';
import { type ErrorCode, type Outcome, type QuorateError } from '../base/error';
import type { Any } from '../gen/google/protobuf/any';
import { BadRequest, ErrorInfo, RetryInfo } from '../gen/google/rpc/error_details';
import { Status } from '../gen/google/rpc/status';

/** How one error code leaves the member. */
export interface ErrorRule {
  readonly status: status;
  /** `google.rpc.ErrorInfo.reason`: stable, for programs. */
  readonly reason: string;
  /** The outcomes this error may have; the first is the usual one. */
  readonly outcomes: readonly Outcome[];
  /** How long a client should wait before it tries again; `undefined` when repeating the call as it is cannot help. */
  readonly retryAfterMs: number | undefined;
  /** What a caller should do. */
  readonly advice: string;
}

/** Error domain of `google.rpc.ErrorInfo`. */
export const errorDomain = 'quorate.dev';

/** The trailer that carries a serialized `google.rpc.Status`. */
export const statusDetailsTrailer = 'grpc-status-details-bin';

export const errorTable: Readonly<Record<ErrorCode, ErrorRule>> = {
  'invalid-argument': {
    status: status.INVALID_ARGUMENT,
    reason: 'INVALID_ARGUMENT',
    outcomes: ['not-done'],
    retryAfterMs: undefined,
    advice: 'Correct the field that `BadRequest` names; repeating the call as it is cannot help.',
  },
  'no-leader': {
    status: status.UNAVAILABLE,
    reason: 'NO_LEADER',
    outcomes: ['not-done'],
    retryAfterMs: 200,
    advice: 'Repeat the call after a moment, here or on another member. If it lasts, fewer than a majority are up.',
  },
  'no-quorum': {
    status: status.UNAVAILABLE,
    reason: 'NO_QUORUM',
    outcomes: ['not-done'],
    retryAfterMs: 200,
    advice: 'Repeat the read after a moment, or ask for CONSISTENCY_STALE.',
  },
  'outcome-unknown': {
    status: status.UNAVAILABLE,
    reason: 'OUTCOME_UNKNOWN',
    outcomes: ['unknown'],
    retryAfterMs: undefined,
    advice: 'Read the key, or list the members, to see; repeat the call only if doing it twice is acceptable.',
  },
  superseded: {
    status: status.UNAVAILABLE,
    reason: 'SUPERSEDED',
    outcomes: ['not-done'],
    retryAfterMs: 10,
    advice: 'The leader changed. Repeat the call.',
  },
  'deadline-exceeded': {
    status: status.DEADLINE_EXCEEDED,
    reason: 'DEADLINE_EXCEEDED',
    outcomes: ['not-done'],
    retryAfterMs: undefined,
    advice: 'Repeat the call with more time.',
  },
  overloaded: {
    status: status.RESOURCE_EXHAUSTED,
    reason: 'OVERLOADED',
    outcomes: ['not-done'],
    retryAfterMs: 50,
    advice: 'Repeat the call after a moment, with fewer calls at a time.',
  },
  'change-refused': {
    status: status.FAILED_PRECONDITION,
    reason: 'CHANGE_REFUSED',
    outcomes: ['not-done'],
    retryAfterMs: undefined,
    advice: 'The message says why; repeat the call when that has changed.',
  },
  stopping: {
    status: status.UNAVAILABLE,
    reason: 'STOPPING',
    outcomes: ['not-done', 'unknown'],
    retryAfterMs: 0,
    advice: 'Repeat the call on another member, if the outcome is `not-done`.',
  },
  'wrong-cluster': {
    status: status.FAILED_PRECONDITION,
    reason: 'WRONG_CLUSTER',
    outcomes: ['not-done'],
    retryAfterMs: undefined,
    advice: 'Correct the address: a member of another cluster listens there.',
  },
  damaged: {
    status: status.DATA_LOSS,
    reason: 'DAMAGED',
    outcomes: ['unknown'],
    retryAfterMs: undefined,
    advice: 'The member found damaged data and is stopping; ask another, and see its log.',
  },
  'refused-to-start': {
    status: status.FAILED_PRECONDITION,
    reason: 'REFUSED_TO_START',
    outcomes: ['not-done'],
    retryAfterMs: undefined,
    advice: 'Only printed by `quorate serve`, never sent: correct what the message names.',
  },
  'snapshot-failed': {
    status: status.UNAVAILABLE,
    reason: 'SNAPSHOT_FAILED',
    outcomes: ['not-done'],
    retryAfterMs: 1000,
    advice: "Repeat the call later or on another member; the member's log names the reason, such as a full disk.",
  },
  compacted: {
    status: status.OUT_OF_RANGE,
    reason: 'COMPACTED',
    outcomes: ['not-done'],
    retryAfterMs: undefined,
    advice: 'Read at the oldest revision that is left, which `limit` names, or begin anew with the newest state.',
  },
  'future-revision': {
    status: status.OUT_OF_RANGE,
    reason: 'FUTURE_REVISION',
    outcomes: ['not-done'],
    retryAfterMs: undefined,
    advice: 'Ask for a revision that was told by this cluster; `limit` names the newest.',
  },
  'precondition-failed': {
    status: status.FAILED_PRECONDITION,
    reason: 'PRECONDITION_FAILED',
    outcomes: ['not-done'],
    retryAfterMs: undefined,
    advice: 'The condition of the call does not hold: read the key and decide anew.',
  },
  'not-found': {
    status: status.NOT_FOUND,
    reason: 'NOT_FOUND',
    outcomes: ['not-done'],
    retryAfterMs: undefined,
    advice: 'The lease or key that the call needs is not there, or not any more: make it anew.',
  },
  'already-exists': {
    status: status.ALREADY_EXISTS,
    reason: 'ALREADY_EXISTS',
    outcomes: ['not-done'],
    retryAfterMs: undefined,
    advice: 'Choose another lease id, or let the member choose one.',
  },
  'no-space': {
    status: status.RESOURCE_EXHAUSTED,
    reason: 'NO_SPACE',
    outcomes: ['not-done'],
    retryAfterMs: 5000,
    advice: 'The quota is used up. Delete keys and compact, or raise the quota (MaintenanceService.UpdateSettings).',
  },
  corrupt: {
    status: status.DATA_LOSS,
    reason: 'CORRUPT',
    outcomes: ['not-done'],
    retryAfterMs: undefined,
    advice: 'Compare the members (MaintenanceService.HashKv), replace the wrong ones, then clear the alarm.',
  },
  'request-expired': {
    status: status.FAILED_PRECONDITION,
    reason: 'REQUEST_EXPIRED',
    outcomes: ['unknown'],
    retryAfterMs: undefined,
    advice: 'It was not done now; whether it was before is forgotten. Read the key to see; give a new change a new id.',
  },
  'request-mismatch': {
    status: status.FAILED_PRECONDITION,
    reason: 'REQUEST_MISMATCH',
    outcomes: ['not-done'],
    retryAfterMs: undefined,
    advice: 'The id was used for another request. Give each intended change an id of its own.',
  },
  unreachable: {
    status: status.UNAVAILABLE,
    reason: 'UNREACHABLE',
    outcomes: ['not-done', 'unknown'],
    retryAfterMs: 500,
    advice: 'Only made by the client library, never sent: check the endpoints and that a member is up.',
  },
};

/** A bug of ours, as far as a client may see it: the member that met it stops. */
const bugRule = { status: status.INTERNAL, reason: 'INTERNAL' } as const;

/** The leader as an error may name it. */
export interface LeaderHint {
  readonly name: string;
  /** Where clients reach it, `host:port`. */
  readonly clientAddress: string;
}

/** A gRPC status with its details in the trailers. */
export interface CallStatus {
  readonly code: status;
  readonly details: string;
  readonly metadata: Metadata;
}

/** The status of an expected error. `leaderHint` finds the leader an error names, if it is known. */
export function statusOfError(
  error: QuorateError,
  leaderHint: (id: bigint) => LeaderHint | undefined = () => undefined,
): CallStatus {
  const rule = errorTable[error.code];
  const leader = error.details.leaderId === undefined ? undefined : leaderHint(error.details.leaderId);
  const details = [pack('ErrorInfo', ErrorInfo.encode(errorInfo(error, leader)).finish())];
  const retryAfterMs = error.outcome === 'unknown' ? undefined : (error.details.retryAfterMs ?? rule.retryAfterMs);
  if (retryAfterMs !== undefined) details.push(pack('RetryInfo', RetryInfo.encode(retryInfo(retryAfterMs)).finish()));
  if (error.details.field !== undefined) details.push(badRequest(error.details.field, error.message, rule.reason));
  return withDetails(rule.status, error.message, details);
}

/** The same status as a message of its own, for streams that answer several requests. */
export function rpcStatusOf({ metadata }: CallStatus): Status {
  const [bytes] = metadata.get(statusDetailsTrailer);
  assert(bytes instanceof Buffer, 'every status of the native API carries its details');
  return Status.decode(bytes);
}

/** The status of an unexpected error. Says nothing of its cause: that goes to the log. */
export function statusOfBug(): CallStatus {
  const info = { reason: bugRule.reason, domain: errorDomain, metadata: { outcome: 'unknown' } };
  const message = 'this member met an internal error and stops; the outcome is unknown';
  return withDetails(bugRule.status, message, [pack('ErrorInfo', ErrorInfo.encode(info).finish())]);
}

function errorInfo(error: QuorateError, leader: LeaderHint | undefined): ErrorInfo {
  const { field, limit, actual, leaderId, requestTimeMs } = error.details;
  const facts: Readonly<Record<string, string | undefined>> = {
    outcome: error.outcome,
    field,
    limit,
    actual,
    requestTimeMs: requestTimeMs?.toString(),
    leaderId: leaderId?.toString(),
    leader: leader?.name,
    leaderAddress: leader?.clientAddress,
  };
  const metadata: Record<string, string> = {};
  for (const [name, value] of Object.entries(facts)) if (value !== undefined) metadata[name] = value;
  return { reason: errorTable[error.code].reason, domain: errorDomain, metadata };
}

function retryInfo(milliseconds: number): RetryInfo {
  const seconds = Math.floor(milliseconds / 1000);
  return { retryDelay: { seconds: BigInt(seconds), nanos: Math.round((milliseconds - seconds * 1000) * 1e6) } };
}

function badRequest(field: string, description: string, reason: string): Any {
  const fieldViolations = [{ field, description, reason, localizedMessage: undefined }];
  return pack('BadRequest', BadRequest.encode({ fieldViolations }).finish());
}

function pack(name: string, value: Uint8Array): Any {
  return { typeUrl: `type.googleapis.com/google.rpc.${name}`, value: Buffer.from(value) };
}

function withDetails(code: status, message: string, details: Any[]): CallStatus {
  const metadata = new Metadata();
  metadata.set(statusDetailsTrailer, Buffer.from(Status.encode({ code, message, details }).finish()));
  return { code, details: message, metadata };
}
