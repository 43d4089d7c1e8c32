/** What verbs have in common that work on files, without a cluster. */
import { errorText } from './client-command';
import { exitCodeOf } from './exit-code';

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
    process.stderr.write(`${errorText(error, json)}\n`);
    process.exitCode = exitCodeOf(error);
  }
}
