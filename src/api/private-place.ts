/** A place for a socket that nobody but this user reaches, through which a member and its front ends speak with it. */
import { chmodSync, mkdirSync, mkdtempSync, rmdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { QuorateError } from '../base/error';

/** What the path of a socket may have, in bytes, on every system: the smallest is that of macOS. */
const maxPathBytes = 103;

/** A socket that is listened at. */
export interface PrivateSocket {
  readonly path: string;
  /** Removes what was made for it, once nobody listens. */
  remove(): void;
}

/**
 * Listens at a new socket: in a directory of its own within `directory`, or where that cannot be (its path is too long, its
 * file system has no sockets) within the system's temporary one. What an earlier process has left there is removed.
 *
 * @param directory this member's own; nobody else may use it
 * @throws QuorateError `refused-to-start`
 */
export async function listenPrivately(
  directory: string,
  listen: (path: string) => Promise<void>,
): Promise<PrivateSocket> {
  const reasons: string[] = [];
  for (const makePlace of [() => placeWithin(directory), temporaryPlace]) {
    try {
      return await listenIn(makePlace(), listen);
    } catch (error) {
      reasons.push(error instanceof Error ? error.message : String(error));
    }
  }
  const message = `this member cannot make a socket for itself, in ${directory} nor in ${tmpdir()}: ${reasons.join('; ')}`;
  throw new QuorateError('refused-to-start', message, { details: { field: 'data-dir', actual: directory } });
}

async function listenIn(place: string, listen: (path: string) => Promise<void>): Promise<PrivateSocket> {
  const path = join(place, 'socket');
  const remove = () => {
    rmSync(path, { force: true });
    removeEmpty(place);
  };
  try {
    if (Buffer.byteLength(path) > maxPathBytes) throw new Error(`${path} is too long for the path of a socket`);
    await listen(path);
    return { path, remove };
  } catch (error) {
    remove();
    throw error;
  }
}

/** Whoever may not enter the directory does not reach the socket, whatever its own permissions are. */
function placeWithin(directory: string): string {
  const place = join(resolve(directory), 'own-socket');
  mkdirSync(place, { recursive: true, mode: 0o700 });
  chmodSync(place, 0o700);
  rmSync(join(place, 'socket'), { force: true });
  return place;
}

/** Made anew, for this user only. */
function temporaryPlace(): string {
  return mkdtempSync(join(tmpdir(), 'quorate-'));
}

function removeEmpty(place: string): void {
  try {
    rmdirSync(place);
  } catch {
    // What somebody else has put there is not ours to remove.
  }
}
