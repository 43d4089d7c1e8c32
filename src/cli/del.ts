/** `quorate del`: removes a key. */
import type { Command } from 'commander';
import { addClientOptions, runVerb, type ClientCommandOptions } from './client-command';
import { exitCode } from './exit-code';
import { toJson } from './format';

export function registerDelCommand(program: Command): void {
  const command = program
    .command('del')
    .description('Remove a key. Removing a key that is not there succeeds and changes nothing.')
    .argument('<key>', 'the key');
  addClientOptions(command).action(async (key: string, options: ClientCommandOptions) => {
    await runVerb(options, async ({ client, json, write }) => {
      const { deleted, revision } = await client.delete(key);
      const sentence = deleted ? `Deleted, revision ${String(revision)}` : 'There was no such key';
      await write(json ? `${toJson({ deleted, revision })}\n` : `${sentence}\n`);
      return exitCode.ok;
    });
  });
}
