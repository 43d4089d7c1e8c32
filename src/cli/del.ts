/** `quorate del`: removes a key, or all keys of a prefix or a range. */
import type { Command } from 'commander';
import type { DeleteAnswer, Selection } from '../client';
import {
  addSelectionOptions,
  contradictingSelection,
  given,
  requestIdOption,
  revisionNumber,
  selectionOf,
  type SelectionOptions,
} from './arguments';
import { addClientOptions, runVerb, type ClientCommandOptions, type VerbContext } from './client-command';
import { exitCode, type ExitCode } from './exit-code';
import { plural, previousToJson, toJson, valueForTerminal } from './format';

interface DelOptions extends ClientCommandOptions, SelectionOptions {
  readonly ifRevision?: number;
  readonly returnPrevious?: boolean;
  readonly all?: boolean;
  readonly requestId?: string;
}

export function registerDelCommand(program: Command): void {
  const command = program
    .command('del')
    .description('Remove a key, or many. Removing a key that is not there succeeds and changes nothing.')
    .argument('[key]', 'the key; or else --prefix, --start and --end, or --all')
    .option('--all', 'all keys of the store');
  addSelectionOptions(command)
    .option('--if-revision <n>', 'only if the key was last changed at this revision', revisionNumber)
    .option('--return-previous', 'show the key as it was')
    .addOption(requestIdOption());
  addClientOptions(command).action(async (key: string | undefined, options: DelOptions) => {
    const target = targetOf(key, options);
    if (typeof target === 'object' && 'problem' in target) return command.error(target.problem);
    await runVerb(options, (context) =>
      typeof target === 'string' ? deleteOne(context, target, options) : deleteMany(context, target, options),
    );
  });
}

/** Which keys the arguments name: one, or a selection that was given in so many words. */
export function targetOf(
  key: string | undefined,
  options: SelectionOptions & Pick<DelOptions, 'all' | 'ifRevision' | 'returnPrevious'>,
): string | Selection | { readonly problem: string } {
  const selection = selectionOf(options);
  if (selection === undefined) return { problem: contradictingSelection };
  const ways = [key !== undefined, selection.kind !== 'all', options.all === true].filter(Boolean).length;
  if (ways !== 1) return { problem: 'error: give exactly one of KEY, --prefix, --start and --end, and --all' };
  if (key !== undefined) return key;
  if (options.ifRevision === undefined && options.returnPrevious !== true) return selection;
  return { problem: 'error: --if-revision and --return-previous are for a single KEY' };
}

async function deleteOne({ client, json, write }: VerbContext, key: string, options: DelOptions): Promise<ExitCode> {
  const { ifRevision, returnPrevious, requestId } = options;
  const answer = await client.delete(key, given({ ifRevision, returnPrevious, requestId }));
  await write(json ? `${toJson(deleteToJson(answer))}\n` : deleteSentence(answer));
  return exitCode.ok;
}

function deleteToJson({ deleted, revision, previous, replayed }: DeleteAnswer): object {
  return { deleted, revision, ...previousToJson(previous), replayed };
}

function deleteSentence({ deleted, revision, previous }: DeleteAnswer): string {
  const sentence = deleted ? `Deleted, revision ${String(revision)}` : 'There was no such key';
  return previous === undefined ? `${sentence}\n` : `${sentence}\nbefore: ${valueForTerminal(previous.value)}\n`;
}

async function deleteMany(context: VerbContext, selection: Selection, options: DelOptions): Promise<ExitCode> {
  const { client, json, write } = context;
  const { deleted, revision, replayed } = await client.deleteRange(selection, given({ requestId: options.requestId }));
  const sentence = deleted === 0 ? 'There were no such keys' : `Deleted ${plural(deleted, 'key')}`;
  await write(json ? `${toJson({ deleted, revision, replayed })}\n` : `${sentence}, revision ${String(revision)}\n`);
  return exitCode.ok;
}
