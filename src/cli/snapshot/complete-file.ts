/** Writes a file that is complete or not there: under another name first, synced, then renamed. */
import { access, open, rename, rm, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { QuorateError } from '../../client';

/** How to save. */
export interface SaveSettings {
  /** Replace a file that exists. */
  readonly force: boolean;
  /** Told after each part how much is written. */
  readonly onProgress: (savedBytes: number) => void;
}

/** @throws QuorateError `invalid-argument` when there is such a file */
export async function refuseExisting(file: string): Promise<void> {
  const exists = await access(file).then(
    () => true,
    () => false,
  );
  if (!exists) return;
  throw new QuorateError('invalid-argument', `${file} exists; choose another name, or replace it with --force`, {
    details: { field: 'file', actual: file },
  });
}

/**
 * Saves parts in order. When it returns, the file survives a power cut; when it fails, nothing is left of it, and an
 * existing file is as it was.
 *
 * @throws QuorateError `snapshot-failed` when it cannot be written; whatever `parts` throws
 */
export async function saveTo(file: string, parts: AsyncIterable<Uint8Array>, settings: SaveSettings): Promise<void> {
  const partial = `${file}.partial`;
  const handle = await written(partial, () => open(partial, 'w', 0o600));
  try {
    try {
      await writeAll(handle, partial, parts, settings.onProgress);
    } finally {
      await handle.close();
    }
    if (!settings.force) await refuseExisting(file);
    await written(file, () => rename(partial, file));
  } catch (error) {
    await rm(partial, { force: true });
    throw error;
  }
  await written(file, () => syncDirectory(dirname(file)));
}

async function writeAll(
  handle: FileHandle,
  path: string,
  parts: AsyncIterable<Uint8Array>,
  onProgress: (savedBytes: number) => void,
): Promise<void> {
  let saved = 0;
  for await (const part of parts) {
    await written(path, () => handle.writeFile(part));
    saved += part.length;
    onProgress(saved);
  }
  await written(path, () => handle.sync());
}

/** A new name is durable only when its directory is. */
async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function written<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new QuorateError('snapshot-failed', `cannot write ${path}: ${why}`, { cause });
  }
}
