/** `quorate compact`: forgets what was before a revision. */
import type { Command } from 'commander';
import { requestIdOption, given, revisionNumber } from './arguments';
import { addClientOptions, runVerb, type ClientCommandOptions } from './client-command';
import { exitCode } from './exit-code';
import { toJson } from './format';

export function registerCompactCommand(program: Command): void {
  const command = program
    .command('compact')
    .description(
      'Forget, for good, what was before a revision: reads and watches below it are refused from then on. The cluster does ' +
        'so by itself unless it is told otherwise; see `serve --help`.',
    )
    .argument('<revision>', 'the oldest revision that can be read from then on', revisionNumber)
    .addOption(requestIdOption());
  addClientOptions(command).action(
    async (revision: number, options: ClientCommandOptions & { readonly requestId?: string }) => {
      await runVerb(options, async ({ client, json, write }) => {
        const answer = await client.maintenance.compact(revision, given({ requestId: options.requestId }));
        const sentence = `Compacted: nothing before revision ${String(revision)} can be read any more`;
        await write(json ? `${toJson({ compactRevision: revision, revision: answer.revision })}\n` : `${sentence}\n`);
        return exitCode.ok;
      });
    },
  );
}
