/** `quorate transfer-leader`: hands leadership to another voter. */
import type { Command } from 'commander';
import { addClientOptions, runVerb, type ClientCommandOptions } from './client-command';
import { exitCode } from './exit-code';
import { memberToJson, toJson } from './format';

export function registerTransferLeaderCommand(program: Command): void {
  const command = program
    .command('transfer-leader')
    .description('Hand leadership to another voter, without an interruption longer than a heartbeat or two.')
    .argument('[name]', 'the successor; by default the voter whose log is most complete');
  addClientOptions(command).action(async (name: string | undefined, options: ClientCommandOptions) => {
    await runVerb(options, async ({ client, json, write }) => {
      const leader = await client.cluster.transferLeadership(name);
      await write(json ? `${toJson({ leader: memberToJson(leader) })}\n` : `${leader.name} leads now\n`);
      return exitCode.ok;
    });
  });
}
