/** The key index in a file beside its state: written when a member stops in order, so that its next start need not read all rows. */
import { closeSync, openSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { deserialize, serialize } from 'node:v8';
import { crc32 } from 'node:zlib';
import type { HeadColumns } from './head-columns';
import { addSums, columnsOf, sumOf, type IndexSource } from './index-columns';
import { SortedIndex, type LoadedIndex } from './sorted-index';
import { SqliteGuard } from './sqlite-guard';
import { rowCount, type MetaFacts } from './sqlite-meta';
import { savedIndexPath } from './state-files';

/** An index, and what it was made of. */
export interface SavedIndex extends LoadedIndex {
  readonly facts: MetaFacts;
  /** What all rows add up to (`sumOf`). */
  readonly sum: number;
}

/** What is saved of a state. */
type SavedState = IndexSource & { readonly facts: MetaFacts };

/** A saved index; or why there is none to be had. */
export type SavedOutcome =
  { readonly kind: 'read'; readonly saved: SavedIndex } | { readonly kind: 'useless'; readonly reason: string };

/** The last record of the file. */
interface End {
  readonly format: number;
  readonly facts: MetaFacts;
  readonly stateFile: string;
  readonly sum: number;
}

/** Another one is not read. */
const format = 1;

// The file is records, one after the other: parts of the index, and in the end what they are of. Each record is preceded by its
// length and its CRC-32 (zlib's), both as little-endian numbers of 32 bits, and is what `serialize` of node:v8 makes.
const prefixBytes = 8;

/**
 * Longest time that the thread may be kept from ending, milliseconds: whoever stops a member waits for it, and waits ten seconds
 * at most. Enough for ten million keys, or half as many where several members stop at once on a few processors.
 */
const longestMs = 5000;

/**
 * Saves the index of a state whose file nobody has open any more. It need not survive a power cut: what is not whole is not
 * used.
 *
 * @returns false if it is not saved: it takes too long, there is no space, or rows wait to be removed that the index has
 *   forgotten already
 */
export function saveIndex(statePath: string, state: SavedState, maxMs = longestMs): boolean {
  const path = savedIndexPath(statePath);
  try {
    const file = openSync(path, 'w', 0o600);
    try {
      if (writeParts(file, statePath, state, performance.now() + maxMs)) return true;
    } finally {
      closeSync(file);
    }
  } catch (error) {
    // The disk's no is no reason to fail: an index that is saved saves time, and nothing else.
    if (!(typeof error === 'object' && error !== null && 'syscall' in error)) throw error;
  }
  rmSync(path, { force: true });
  return false;
}

/** Reads all of it at once, which happens beside the thread; makes the index then. */
export async function readSavedIndex(statePath: string): Promise<SavedOutcome> {
  try {
    const stateFile = versionOf(statePath);
    const records = recordsOf(await contentOf(savedIndexPath(statePath)));
    const last = records.pop();
    if (last === undefined) return useless('it is empty');
    const end = deserialize(last) as Partial<End>;
    if (end.format !== format) return useless('it is not whole, or of another version');
    const { facts, sum, stateFile: expected } = end as End;
    if (stateFile !== expected) return useless('the state was changed by something else since');
    const sorted = new SortedIndex();
    for (const record of records) sorted.append(deserialize(record) as HeadColumns);
    return { kind: 'read', saved: { ...sorted.finish(facts, new SqliteGuard(statePath)), facts, sum } };
  } catch (error) {
    return useless(error instanceof Error ? error.message : String(error));
  }
}

/** @returns whether all was written */
function writeParts(file: number, statePath: string, state: SavedState, until: number): boolean {
  const { facts } = state;
  let sum = 0;
  let count = 0;
  for (const part of columnsOf(state)) {
    if (performance.now() > until) return false;
    writeRecord(file, part);
    sum = addSums(sum, sumOf(part));
    count += part.count;
  }
  if (count !== rowCount(facts)) return false;
  writeRecord(file, { format, facts, stateFile: versionOf(statePath), sum } satisfies End);
  return true;
}

function writeRecord(file: number, value: unknown): void {
  const content = serialize(value);
  const prefix = Buffer.alloc(prefixBytes);
  prefix.writeUInt32LE(content.length, 0);
  prefix.writeUInt32LE(crc32(content), 4);
  writeFileSync(file, prefix);
  writeFileSync(file, content);
}

function recordsOf(content: Buffer): Buffer[] {
  const records: Buffer[] = [];
  for (let at = 0; at < content.length;) {
    const start = at + prefixBytes;
    if (start > content.length) throw new Error('its end is missing');
    const end = start + content.readUInt32LE(at);
    if (end > content.length) throw new Error('its end is missing');
    const record = content.subarray(start, end);
    if (crc32(record) !== content.readUInt32LE(at + 4)) throw new Error('it fails its checksum');
    records.push(record);
    at = end;
  }
  return records;
}

/** In one go: the thread may be busy with other things, and a file that is read bit by bit would wait for it each time. */
async function contentOf(path: string): Promise<Buffer> {
  const file = await open(path);
  try {
    const content = Buffer.allocUnsafeSlow((await file.stat()).size);
    for (let at = 0; at < content.length;) {
      const { bytesRead } = await file.read(content, at);
      if (bytesRead === 0) throw new Error('its end is missing');
      at += bytesRead;
    }
    return content;
  } finally {
    await file.close();
  }
}

/** Tells a file from what it was before anything was written to it. */
function versionOf(path: string): string {
  const { size, mtimeNs } = statSync(path, { bigint: true });
  return `${String(size)} bytes of ${String(mtimeNs)}`;
}

function useless(reason: string): SavedOutcome {
  return { kind: 'useless', reason };
}
