/** What a wrong command line leads to, the same for all verbs. */
import type { Command } from 'commander';
import { exitCode } from './exit-code';

/** Makes a wrong command line exit with the code for it; help and version still exit with 0. */
export function exitWithUsage(command: Command): Command {
  return command.exitOverride((error) => {
    process.exit(error.exitCode === 0 ? exitCode.ok : exitCode.usage);
  });
}
