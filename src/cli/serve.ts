/** `quorate serve`: runs one member. */
import { type Command, Option } from 'commander';
import { QuorateError } from '../base/error';
import { EarlyIndexReading } from '../kv/early-index';
import type { ConfigFile } from '../ops/config-file';
import type { OptionSpec } from '../ops/option-spec';
import { yesOrNo } from '../ops/option-values';
import { helpOf, optionList, type ServeOptions } from '../ops/options';
import { readOptions } from '../ops/read-options';
import { exitCode } from './exit-code';
import { statePathOf } from './serve/state-path';
import { exitWithUsage } from './usage';

export function registerServeCommand(program: Command): void {
  const command = program
    .command('serve')
    .description(
      'Run one member of a cluster. Each option is a flag, an environment variable, or a line of the YAML file.',
    )
    .addOption(
      new Option('--config <file>', 'YAML file of "option: value" lines, named as the flags (env: QUORATE_CONFIG)'),
    );
  for (const [, spec] of optionList) command.addOption(flagOf(spec));
  exitWithUsage(command).action(async (flags: Record<string, string | undefined>) => {
    try {
      const configFile = await readConfigFileOf(flags);
      await serve(readOptions({ flags: byFlagName(flags), env: process.env, configFile }));
    } catch (error) {
      if (!(error instanceof QuorateError)) throw error;
      process.stderr.write(`error: ${error.message}\n`, () => {
        process.exit(error.code === 'damaged' ? exitCode.damaged : exitCode.usage);
      });
    }
  });
}

/** What makes a member is loaded while its index is being read: it takes 0.2 s, and the other verbs do not need it. */
async function serve(options: ServeOptions): Promise<void> {
  const reading = new EarlyIndexReading(statePathOf(options));
  const { runMember } = await import('./serve/process.js');
  await runMember(options, reading);
}

/** Commander takes the text as it is; reading and checking is the table's. What is true or false is true when bare. */
function flagOf(spec: OptionSpec<unknown>): Option {
  const { flag, kind } = spec;
  if (kind === yesOrNo) return new Option(`--${flag} [${kind.placeholder}]`, helpOf(spec)).preset('true');
  return new Option(`--${flag} <${kind.placeholder}>`, helpOf(spec));
}

async function readConfigFileOf(flags: Record<string, string | undefined>): Promise<ConfigFile | undefined> {
  const path = flags['config'] ?? process.env['QUORATE_CONFIG'];
  return path === undefined ? undefined : (await import('../ops/config-file.js')).readConfigFile(path);
}

/** Commander gives `--data-dir` the name `dataDir`; the table knows flags. */
function byFlagName(flags: Record<string, string | undefined>): Record<string, string | undefined> {
  const attributes = optionList.map(([, spec]) => [spec.flag, flags[flagOf(spec).attributeName()]] as const);
  return Object.fromEntries(attributes);
}
