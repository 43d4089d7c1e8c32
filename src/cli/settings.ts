/** `quorate settings`: shows and changes the settings of the whole cluster. */
import type { Command } from 'commander';
import { wholeNumber } from './arguments';
import { addClientOptions, runVerb, type ClientCommandOptions } from './client-command';
import { exitCode } from './exit-code';
import { bytesForPeople, toJson } from './format';

interface SettingsOptions extends ClientCommandOptions {
  readonly quotaBytes?: number;
}

export function registerSettingsCommand(program: Command): void {
  const command = program
    .command('settings')
    .description('Show the settings of the cluster, and change those that are given, while it runs.')
    .option(
      '--quota-bytes <n>',
      'bytes of the database above which puts are refused; 0: no bound',
      wholeNumber(0, Number.MAX_SAFE_INTEGER),
    );
  addClientOptions(command).action(async (options: SettingsOptions) => {
    await runVerb(options, async ({ client, json, write }) => {
      const { quotaBytes } = options;
      const { maintenance } = client;
      const settings = await (quotaBytes === undefined
        ? maintenance.settings()
        : maintenance.updateSettings({ quotaBytes }));
      const quota = settings.quotaBytes === 0 ? 'none' : bytesForPeople(settings.quotaBytes);
      await write(json ? `${toJson(settings)}\n` : `quota: ${quota}\n`);
      return exitCode.ok;
    });
  });
}
