/** What an import remembers in a file beside the one it reads, so that it can be resumed. */
import { createHash, randomBytes } from 'node:crypto';
import { open, readFile, rename, rm, stat } from 'node:fs/promises';
import { newRequestId, QuorateError } from '../../client';

/** Lines whose request ids come from one seed. */
interface Chunk {
  /** Its first line; the next chunk's first line ends it. */
  readonly first: number;
  /** When it was begun, milliseconds since 1970: the time in its ids. */
  readonly time: number;
  readonly seed: string;
}

/** The content of the file. */
interface Memory {
  readonly format: 1;
  /** The file that is imported, as it was. */
  readonly sizeBytes: number;
  readonly modifiedMs: number;
  /** All lines up to this one are durable in the store. */
  readonly done: number;
  /** Of the lines after it that were begun. */
  readonly chunks: readonly Chunk[];
}

const linesPerChunk = 10_000;
/** Members refuse ids that are older than an hour. */
const maxChunkAgeMs = 50 * 60_000;

/** Where the memory of the import of a file is. */
export function journalPath(file: string): string {
  return `${file}.import`;
}

/**
 * Which lines are done, and the request ids of the others. A chunk of ids is on the disk before the first of them is sent;
 * so an import that was interrupted sends what may have been done again under the same ids.
 */
export class ImportJournal {
  readonly #file: string;
  readonly #identity: Pick<Memory, 'sizeBytes' | 'modifiedMs'>;
  #done: number;
  #chunks: readonly Chunk[];
  // Done, but not all before them are.
  readonly #ahead = new Set<number>();

  constructor(file: string, memory: Memory) {
    const { sizeBytes, modifiedMs, done, chunks } = memory;
    this.#file = file;
    this.#identity = { sizeBytes, modifiedMs };
    this.#done = done;
    this.#chunks = chunks;
  }

  /** All lines up to this one are durable in the store. */
  get done(): number {
    return this.#done;
  }

  /** The request id of a line that is not done. Lines are asked for in order; saves before a new chunk is used. */
  async idOf(line: number, now = Date.now()): Promise<string> {
    const chunk = this.#chunks.findLast(({ first }) => first <= line);
    const isUsable = chunk !== undefined && line < chunk.first + linesPerChunk && now - chunk.time < maxChunkAgeMs;
    if (isUsable) return idFrom(chunk, line);
    const begun = { first: line, time: now, seed: randomBytes(16).toString('hex') };
    this.#chunks = [...this.#chunks.filter(({ first }) => first < line), begun];
    await this.save();
    return idFrom(begun, line);
  }

  finished(line: number): void {
    this.#ahead.add(line);
    while (this.#ahead.delete(this.#done + 1)) this.#done++;
  }

  /** Durable on return. */
  async save(): Promise<void> {
    // The chunk that holds the next line, and all after it, are still needed.
    const needed = this.#chunks.findLastIndex(({ first }) => first <= this.#done + 1);
    this.#chunks = this.#chunks.slice(Math.max(0, needed));
    const memory: Memory = { format: 1, ...this.#identity, done: this.#done, chunks: this.#chunks };
    const path = journalPath(this.#file);
    const handle = await open(`${path}.new`, 'w', 0o600);
    try {
      await handle.writeFile(`${JSON.stringify(memory)}\n`);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(`${path}.new`, path);
  }

  /** The import is complete. */
  async remove(): Promise<void> {
    await rm(journalPath(this.#file), { force: true });
  }
}

/**
 * Begins the memory of an import, or goes on with the one that is there.
 *
 * @throws QuorateError `invalid-argument` when there is one and it is not wanted, or the other way round, or the file has
 *   changed since
 */
export async function openJournal(file: string, resume: boolean): Promise<ImportJournal> {
  const { size, mtimeMs } = await stat(file);
  const identity = { sizeBytes: size, modifiedMs: Math.floor(mtimeMs) };
  const text = await readFile(journalPath(file), 'utf8').catch(() => undefined);
  if (text === undefined) {
    if (resume) throw refusal(file, `there is nothing to resume: ${journalPath(file)} is missing`);
    return new ImportJournal(file, { format: 1, ...identity, done: 0, chunks: [] });
  }
  if (!resume) {
    throw refusal(
      file,
      `an import of it was interrupted. Go on with --resume, or remove ${journalPath(file)} to begin anew`,
    );
  }
  const memory = memoryFrom(file, text);
  if (memory.sizeBytes === identity.sizeBytes && memory.modifiedMs === identity.modifiedMs) {
    return new ImportJournal(file, memory);
  }
  throw refusal(file, `it has changed since its import began. Remove ${journalPath(file)} to begin anew`);
}

function memoryFrom(file: string, text: string): Memory {
  try {
    const memory = JSON.parse(text) as Partial<Memory>;
    const isOurs = memory.format === 1 && Array.isArray(memory.chunks) && Number.isSafeInteger(memory.done);
    if (isOurs) return memory as Memory;
  } catch {
    // Told below.
  }
  throw refusal(file, `${journalPath(file)} cannot be read. Remove it to begin anew`);
}

/** A request id that is the same whenever it is worked out. */
function idFrom({ time, seed }: Chunk, line: number): string {
  const hash = createHash('sha256')
    .update(`${seed} ${String(line)}`, 'utf8')
    .digest();
  return newRequestId(time, hash.subarray(0, 16));
}

function refusal(file: string, why: string): QuorateError {
  return new QuorateError('invalid-argument', `${file}: ${why}`, { details: { field: 'file', actual: file } });
}
