/** What goes wrong with a snapshot transfer, as both of its ends and the wire name it. */
import { status } from '@grpc/grpc-js';
import { QuorateError, type ErrorCode } from '../base/error';

/** How a call ends that was not answered. */
export interface CallError {
  readonly code: status;
  readonly details: string;
}

/** The codes that cross the wire; a receiver's other failures are UNKNOWN. */
const statusOfCode: Partial<Record<ErrorCode, status>> = {
  'invalid-argument': status.INVALID_ARGUMENT,
  damaged: status.DATA_LOSS,
  overloaded: status.RESOURCE_EXHAUSTED,
  superseded: status.ABORTED,
  stopping: status.UNAVAILABLE,
  unreachable: status.UNAVAILABLE,
};

const codeOfStatus: Partial<Record<status, ErrorCode>> = {
  // What this member sent did not arrive as it was sent.
  [status.INVALID_ARGUMENT]: 'damaged',
  [status.DATA_LOSS]: 'damaged',
  [status.RESOURCE_EXHAUSTED]: 'overloaded',
  [status.ABORTED]: 'superseded',
  [status.FAILED_PRECONDITION]: 'wrong-cluster',
};

/** What the receiver answers. */
export function callErrorOf(error: unknown): CallError {
  const code = error instanceof QuorateError ? statusOfCode[error.code] : undefined;
  return { code: code ?? status.UNKNOWN, details: error instanceof Error ? error.message : String(error) };
}

/** What the sender makes of it. */
export function transferErrorOf({ code, details }: CallError): QuorateError {
  const kind = codeOfStatus[code] ?? 'unreachable';
  return new QuorateError(kind, `the peer did not take the snapshot (${status[code]}): ${details}`);
}

/**
 * Checks what `OutgoingSnapshot.read` returned.
 *
 * @throws QuorateError `damaged`
 */
export function checkRead({ length }: Uint8Array, offset: number, maxBytes: number): void {
  if (length >= 1 && length <= maxBytes) return;
  throw new QuorateError('damaged', `the snapshot has ${length} bytes at ${offset}, not 1 to ${maxBytes}`);
}

/** The sender could not read what it announced. */
export function readErrorOf(cause: unknown): QuorateError {
  return cause instanceof QuorateError ? cause : new QuorateError('damaged', 'cannot read the snapshot', { cause });
}
