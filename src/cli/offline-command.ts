/** What verbs have in common that work on files, without a cluster. */
import { QuorateError } from '../client';
import { errorText } from './client-command';
import { exitCode, exitCodeOf, type ExitCode } from './exit-code';

/** The options every such verb has. */
export interface OfflineOptions {
  readonly output: 'table' | 'json';
}

/** Runs the work of a verb: prints an error if there is one, and sets the exit code. */
export async function runOffline(options: OfflineOptions, work: (json: boolean) => Promise<number>): Promise<void> {
  const json = options.output === 'json';
  try {
    process.exitCode = await work(json);
  } catch (error) {
    const told = error instanceof QuorateError ? surelyNotDone(error) : error;
    process.stderr.write(`${errorText(told, json)}\n`);
    process.exitCode = offlineExitCode(told);
  }
}

/** A file is complete or not there: what a member could not know of its own, such as damage, leaves no doubt here. */
function surelyNotDone({ code, message, details, cause }: QuorateError): QuorateError {
  return new QuorateError(code, message, { outcome: 'not-done', details, cause });
}

function offlineExitCode(error: unknown): ExitCode {
  if (!(error instanceof QuorateError)) return exitCodeOf(error);
  if (error.code === 'damaged') return exitCode.damaged;
  return error.code === 'refused-to-start' ? exitCode.usage : exitCodeOf(error);
}
