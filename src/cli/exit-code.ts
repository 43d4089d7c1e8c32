/** Exit codes of the command line: the contract with scripts. Documented in docs/cli.md. */
import { QuorateError } from '../base/error';

export const exitCode = {
  /** It was done, or read. */
  ok: 0,
  /** The answer is no: there is no such key or lease, or a condition does not hold. Nothing was done. */
  negative: 1,
  /** The command line or a value is wrong. Nothing was done. */
  usage: 2,
  /** It surely was not done and never will be. */
  notDone: 3,
  /** It may have been done, or may still be. */
  unknown: 4,
  /** No member could be reached. Surely not done. */
  unreachable: 5,
  /** `status --check`: the cluster answers, but not all is well. */
  degraded: 6,
  /** `lock`, `elect`: what was held is lost, or may be. */
  lost: 7,
  /** A bug of quorate. */
  bug: 70,
  /** `serve`: stored data is damaged, or the disk failed; the member must not go on. */
  damaged: 74,
} as const;

export type ExitCode = (typeof exitCode)[keyof typeof exitCode];

/** The exit code of an error. */
export function exitCodeOf(error: unknown): ExitCode {
  if (!(error instanceof QuorateError)) return exitCode.bug;
  if (error.outcome === 'unknown') return exitCode.unknown;
  if (error.code === 'invalid-argument') return exitCode.usage;
  if (error.code === 'precondition-failed' || error.code === 'not-found') return exitCode.negative;
  return error.code === 'unreachable' ? exitCode.unreachable : exitCode.notDone;
}
