/** `quorate history`: the versions of one key, newest first. */
import type { Command } from 'commander';
import type { HistoryPage, KeyEvent, QuorateClient } from '../client';
import {
  addReadOptions,
  given,
  readOptionsOf,
  revisionNumber,
  wholeNumber,
  type ReadCommandOptions,
} from './arguments';
import { addClientOptions, runVerb, type ClientCommandOptions, type VerbContext } from './client-command';
import { exitCode } from './exit-code';
import { cut, eventToJson, tableLines, toJson, valueForTerminal } from './format';

/** Most versions in one page of the API. */
const maxPageSize = 1_000;
/** The most a table shows of a value, in characters. */
const shownCharacters = 80;

interface HistoryCommandOptions extends ClientCommandOptions, ReadCommandOptions {
  readonly limit?: number;
  readonly before?: number;
  readonly keysOnly?: boolean;
}

export function registerHistoryCommand(program: Command): void {
  const command = program
    .command('history')
    .description('Show the versions of a key that are not compacted, newest first. Exits with 1 if there are none.')
    .argument('<key>', 'the key')
    .option('--limit <n>', 'at most this many versions; default: all', wholeNumber(1, Number.MAX_SAFE_INTEGER))
    .option('--before <n>', 'only versions older than this revision', revisionNumber)
    .option('--keys-only', 'leave the values out');
  addReadOptions(addClientOptions(command)).action(async (key: string, options: HistoryCommandOptions) => {
    await runVerb(options, async (context) => {
      const count = await showPages(context, pagesUpTo(context.client, key, options));
      return count === 0 ? exitCode.negative : exitCode.ok;
    });
  });
}

async function* pagesUpTo(
  client: QuorateClient,
  key: string,
  options: HistoryCommandOptions,
): AsyncGenerator<HistoryPage> {
  let left = options.limit ?? Number.MAX_SAFE_INTEGER;
  const pages = client.history(key, {
    pageSize: Math.min(left, maxPageSize),
    keysOnly: options.keysOnly ?? false,
    ...readOptionsOf(options),
    ...given({ beforeRevision: options.before }),
  });
  for await (const page of pages) {
    yield { ...page, events: page.events.slice(0, left) };
    left -= page.events.length;
    if (left <= 0) return;
  }
}

/** A line for each version, as the pages come. @returns how many there were */
async function showPages({ json, write }: VerbContext, pages: AsyncIterable<HistoryPage>): Promise<number> {
  let count = 0;
  let compactRevision = 0;
  for await (const page of pages) {
    compactRevision = page.compactRevision;
    const header = count === 0 ? [['REVISION', 'ACTION', 'VERSION', 'VALUE']] : [];
    const lines = json
      ? page.events.map((event) => toJson(eventToJson(event)))
      : tableLines([...header, ...page.events.map(row)]);
    if (page.events.length > 0) await write(`${lines.join('\n')}\n`);
    count += page.events.length;
  }
  if (!json && compactRevision > 0) {
    process.stderr.write(`History before revision ${String(compactRevision)} was compacted.\n`);
  }
  return count;
}

function row({ type, kv }: KeyEvent): readonly string[] {
  const version = type === 'put' ? String(kv.version) : '';
  return [String(kv.modRevision), type, version, cut(valueForTerminal(kv.value), shownCharacters)];
}
