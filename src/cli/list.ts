/** `quorate list`: prints keys and values, page by page, so that its size does not matter. */
import type { Command } from 'commander';
import type { KeyValue, ListPage, QuorateClient, Selection } from '../client';
import {
  addReadOptions,
  addSelectionOptions,
  contradictingSelection,
  given,
  readOptionsOf,
  revisionNumber,
  selectionOf,
  wholeNumber,
  type ReadCommandOptions,
  type SelectionOptions,
} from './arguments';
import { addClientOptions, runVerb, type ClientCommandOptions, type VerbContext } from './client-command';
import { exitCode } from './exit-code';
import { cut, escapeControls, keyValueToJson, plural, tableLines, toJson, valueForTerminal } from './format';

/** Most keys in one page of the API. */
const MAX_PAGE_SIZE = 1_000;
/** The most a table shows of one key and of one value, in characters. */
const SHOWN_CHARACTERS = 60;

interface ListCommandOptions extends ClientCommandOptions, SelectionOptions, ReadCommandOptions {
  readonly limit?: number;
  readonly keysOnly?: boolean;
  readonly revision?: number;
}

export function registerListCommand(program: Command): void {
  const command = program
    .command('list')
    .description('List keys and values in ascending byte order of the keys, all as they were at one revision.');
  addSelectionOptions(command)
    .option('--limit <n>', 'at most this many keys, 1 or more; default: all', wholeNumber(1, Number.MAX_SAFE_INTEGER))
    .option('--keys-only', 'leave the values out')
    .option('--revision <n>', 'as they were at this revision; default: the newest', revisionNumber);
  addReadOptions(addClientOptions(command)).action(async (options: ListCommandOptions) => {
    const selection = selectionOf(options);
    if (selection === undefined) return command.error(contradictingSelection);
    await runVerb(options, async (context) => {
      const pages = pagesUpTo(context.client, selection, options);
      await (context.json ? writeJson(context, pages) : writeTable(context, pages, options.keysOnly ?? false));
      return exitCode.ok;
    });
  });
}

async function* pagesUpTo(
  client: QuorateClient,
  selection: Selection,
  options: ListCommandOptions,
): AsyncGenerator<ListPage> {
  let left = options.limit ?? Number.MAX_SAFE_INTEGER;
  const pages = client.list({
    selection,
    pageSize: Math.min(left, MAX_PAGE_SIZE),
    keysOnly: options.keysOnly ?? false,
    ...readOptionsOf(options),
    ...given({ revision: options.revision }),
  });
  for await (const page of pages) {
    yield { ...page, kvs: page.kvs.slice(0, left) };
    left -= page.kvs.length;
    if (left <= 0) return;
  }
}

/** One JSON document, written as the pages come. Cut off if a later page fails: then the exit code is not 0. */
async function writeJson(context: VerbContext, pages: AsyncIterable<ListPage>): Promise<void> {
  let separator = '{"kvs":[';
  let revision = 0;
  for await (const page of pages) {
    let text = '';
    for (const kv of page.kvs) {
      text += `${separator}\n${toJson(keyValueToJson(kv))}`;
      separator = ',';
    }
    revision = page.revision;
    await context.write(text);
  }
  await context.write(`${separator === ',' ? '\n' : separator}],"revision":${String(revision)}}\n`);
}

async function writeTable(context: VerbContext, pages: AsyncIterable<ListPage>, keysOnly: boolean): Promise<void> {
  let count = 0;
  for await (const page of pages) {
    if (page.kvs.length === 0) continue;
    const header = count === 0 ? [keysOnly ? ['KEY', 'REVISION'] : ['KEY', 'REVISION', 'VALUE']] : [];
    const lines = tableLines([...header, ...page.kvs.map((kv) => listRow(kv, keysOnly))]);
    await context.write(`${lines.join('\n')}\n`);
    count += page.kvs.length;
  }
  process.stderr.write(`${plural(count, 'key')}\n`);
}

/** One line of the table. Long keys and values are cut; JSON has them whole. */
export function listRow(kv: KeyValue, keysOnly: boolean): string[] {
  const key = cut(escapeControls(kv.key), SHOWN_CHARACTERS);
  const revision = String(kv.modRevision);
  return keysOnly ? [key, revision] : [key, revision, cut(valueForTerminal(kv.value), SHOWN_CHARACTERS)];
}
