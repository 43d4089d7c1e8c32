/** The errors of snapshots: they cost a copy, never the state. */
import { QuorateError } from '../base/error';
import type { LogPosition } from '../raft';

/** A copy of the state could not be made, read or taken in. */
export function snapshotFailed(what: string, cause?: unknown): QuorateError {
  const reason = cause instanceof Error ? `: ${cause.message}` : '';
  return new QuorateError('snapshot-failed', `${what}${reason}`, { cause });
}

/** The receiver was discarded, or a newer one took its place. */
export function receiverSuperseded(): QuorateError {
  return new QuorateError('superseded', 'this snapshot is no longer being received');
}

/** A snapshot is not what its sender said: some of its bytes were lost, changed or mixed up (invariant N6). */
export function notAsOffered(what: string, offered: string | number, found: string | number): QuorateError {
  return snapshotFailed(`the ${what} of a received snapshot is ${String(found)}, and ${String(offered)} was offered`);
}

/** The name of a position in messages and in names of files. */
export function positionName({ index, term }: LogPosition): string {
  return `${String(index)}-${String(term)}`;
}
