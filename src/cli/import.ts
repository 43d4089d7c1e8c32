/** `quorate import`: stores keys and values from JSON lines, as `export` writes them. */
import { createReadStream, type ReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import type { Command } from 'commander';
import { QuorateError, type PutAnswer, type WriteStream } from '../client';
import { addClientOptions, runVerb, type ClientCommandOptions, type VerbContext } from './client-command';
import { exitCode } from './exit-code';
import { plural, toJson } from './format';
import { openJournal, type ImportJournal } from './import/journal';
import { entryOf, linesOf, type Line } from './import/lines';
import { progressOn, type Progress } from './progress';

interface ImportOptions extends ClientCommandOptions {
  readonly resume?: boolean;
  readonly ifAbsent?: boolean;
}

/** What was done, by this run. */
interface Tally {
  imported: number;
  skipped: number;
  revision: number;
}

/** One import. */
interface Work {
  readonly writes: WriteStream;
  readonly journal: ImportJournal | undefined;
  readonly ifAbsent: boolean;
  readonly tally: Tally;
  /** Why it stops before the end. */
  failure: Error | undefined;
}

export function registerImportCommand(program: Command): void {
  const command = program
    .command('import')
    .description(
      'Store keys and values from JSON lines, as `export` writes them. Stops at the first line that cannot be stored. What ' +
        'is done is remembered in FILE.import until the end, so that an import can be resumed.',
    )
    .argument('[file]', 'where from; - or nothing: standard input, which cannot be resumed', '-')
    .option('--resume', 'go on with an import of FILE that was interrupted')
    .option('--if-absent', 'leave keys that are there as they are');
  const timeout = { meaning: 'time for each key, with all its attempts', defaultMs: 60_000 };
  addClientOptions(command, timeout).action(async (file: string, options: ImportOptions) => {
    if (file === '-' && options.resume === true) return command.error('error: standard input cannot be resumed');
    await runVerb(options, async (context) => {
      const { imported, skipped, revision } = await importFrom(file, options, context);
      const sentence = `Imported ${plural(imported, 'key')}, skipped ${String(skipped)}, revision ${String(revision)}`;
      await context.write(context.json ? `${toJson({ imported, skipped, revision })}\n` : `${sentence}\n`);
      return exitCode.ok;
    });
  });
}

async function importFrom(file: string, options: ImportOptions, { client }: VerbContext): Promise<Tally> {
  const sizeBytes = file === '-' ? undefined : await sizeOf(file);
  const work: Work = {
    writes: client.writeStream({ timeoutMs: options.timeout }),
    journal: file === '-' ? undefined : await openJournal(file, options.resume ?? false),
    ifAbsent: options.ifAbsent ?? false,
    tally: { imported: 0, skipped: 0, revision: 0 },
    failure: undefined,
  };
  const progress = progressOn(process.stderr);
  try {
    await giveAll(linesOf(bytesOf(file)), work, progress, sizeBytes);
  } catch (error) {
    work.failure ??= asError(error);
  } finally {
    progress.end();
  }
  await work.writes.close();
  if (work.failure === undefined) {
    await work.journal?.remove();
    return work.tally;
  }
  await work.journal?.save();
  throw work.failure;
}

/** Gives line after line, as fast as the store takes them, until one fails. */
async function giveAll(
  lines: AsyncIterable<Line>,
  work: Work,
  progress: Progress,
  sizeBytes: number | undefined,
): Promise<void> {
  const done = work.journal?.done ?? 0;
  for await (const line of lines) {
    if (line.number <= done) continue;
    const { key, value } = entryOf(line);
    const requestId = await work.journal?.idOf(line.number);
    await work.writes.ready();
    if (work.failure !== undefined) return;
    const named = requestId === undefined ? {} : { requestId };
    work.writes.put(key, value, { ...named, ifAbsent: work.ifAbsent }).then(
      (answer) => {
        stored(line.number, answer, work);
      },
      (error: unknown) => {
        notStored(line.number, error, work);
      },
    );
    progress.show(sizeBytes === undefined ? undefined : line.endByte / sizeBytes, plural(work.tally.imported, 'key'));
  }
}

function stored(line: number, { revision }: PutAnswer, { tally, journal }: Work): void {
  tally.imported++;
  tally.revision = Math.max(tally.revision, revision);
  journal?.finished(line);
}

function notStored(line: number, error: unknown, work: Work): void {
  if (work.ifAbsent && error instanceof QuorateError && error.code === 'precondition-failed') {
    work.tally.skipped++;
    work.journal?.finished(line);
    return;
  }
  work.failure ??= atLine(line, error);
}

function atLine(line: number, error: unknown): Error {
  if (!(error instanceof QuorateError)) return asError(error);
  const { code, outcome, details, message } = error;
  return new QuorateError(code, `line ${String(line)}: ${message}`, { outcome, details, cause: error });
}

function bytesOf(file: string): AsyncIterable<Buffer> {
  const stream: ReadStream | NodeJS.ReadStream = file === '-' ? process.stdin : createReadStream(file);
  return stream as AsyncIterable<Buffer>;
}

async function sizeOf(file: string): Promise<number> {
  try {
    return (await stat(file)).size;
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new QuorateError('invalid-argument', `cannot read ${file}: ${why}`, { cause, details: { field: 'file' } });
  }
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
