/** `quorate export`: writes keys and values as JSON lines, all of them as they were at one revision. */
import type { Command } from 'commander';
import type { ListPage, Selection } from '../client';
import {
  addReadOptions,
  addSelectionOptions,
  contradictingSelection,
  given,
  readOptionsOf,
  revisionNumber,
  selectionOf,
  type ReadCommandOptions,
  type SelectionOptions,
} from './arguments';
import { addClientOptions, runVerb, type ClientCommandOptions, type VerbContext } from './client-command';
import { exitCode } from './exit-code';
import { keyValueToJson, plural, toJson } from './format';
import { progressOn } from './progress';
import { refuseExisting, saveTo } from './snapshot/complete-file';

/** Most keys in one page of the API. */
const maxPageSize = 1_000;
/** Stands in a key for bytes that are not UTF-8. */
const replacementCharacter = '\ufffd';

interface ExportOptions extends ClientCommandOptions, SelectionOptions, ReadCommandOptions {
  readonly revision?: number;
  readonly force?: boolean;
}

/** What was written. */
interface Tally {
  keys: number;
  revision: number;
  /** Keys that may not be what they seem. */
  doubtful: number;
}

export function registerExportCommand(program: Command): void {
  const command = program
    .command('export')
    .description('Write keys and values as JSON lines, all of them as they were at one revision; `import` reads them.')
    .argument('[file]', 'where to; - or nothing: standard output', '-')
    .option('--force', 'replace FILE if it exists')
    .option('--revision <n>', 'as they were at this revision; default: the newest', revisionNumber);
  addReadOptions(addSelectionOptions(addClientOptions(command))).action(
    async (file: string, options: ExportOptions) => {
      const selection = selectionOf(options);
      if (selection === undefined) return command.error(contradictingSelection);
      await runVerb(options, async (context) => {
        const tally = await exportKeys(context, file, { ...options, selection });
        if (tally.doubtful > 0) process.stderr.write(doubtSentence(tally.doubtful));
        if (file === '-') return exitCode.ok;
        const { keys, revision } = tally;
        const sentence = `Exported ${plural(keys, 'key')} to ${file}, revision ${String(revision)}`;
        await context.write(context.json ? `${toJson({ file, keys, revision })}\n` : `${sentence}\n`);
        return exitCode.ok;
      });
    },
  );
}

async function exportKeys(
  { client, write }: VerbContext,
  file: string,
  options: ExportOptions & { readonly selection: Selection },
): Promise<Tally> {
  const tally: Tally = { keys: 0, revision: 0, doubtful: 0 };
  const { selection, force = false } = options;
  const read = { ...readOptionsOf(options), ...given({ revision: options.revision }) };
  const progress = progressOn(process.stderr);
  const pages = client.list({ selection, pageSize: maxPageSize, ...read });
  const lines = linesOf(pages, tally, () => {
    progress.show(undefined, plural(tally.keys, 'key'));
  });
  try {
    if (file !== '-') {
      if (!force) await refuseExisting(file);
      await saveTo(file, lines, { force, onProgress: () => undefined });
    } else {
      for await (const part of lines) await write(part);
    }
  } finally {
    progress.end();
  }
  return tally;
}

async function* linesOf(
  pages: AsyncIterable<ListPage>,
  tally: Tally,
  onPage: () => void,
): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const { kvs, revision } of pages) {
    tally.keys += kvs.length;
    tally.revision = revision;
    tally.doubtful += kvs.filter(({ key }) => key.includes(replacementCharacter)).length;
    yield Buffer.from(kvs.map((kv) => `${toJson(keyValueToJson(kv))}\n`).join(''), 'utf8');
    onPage();
  }
}

function doubtSentence(count: number): string {
  return (
    `${plural(count, 'key')} with U+FFFD: written through the etcd API, such a key may hold bytes that are not UTF-8, ` +
    'and those are not in the export. Use `snapshot save` for everything.\n'
  );
}
