/** What is checked before a development cluster starts, each problem in one sentence that says what to do. */
import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { QuorateError } from '../../base/error';
import { CLUSTER_NAME, memberNames } from './plan';

/** What `quorate dev` remembers of a directory. */
interface Manifest {
  readonly format: 1;
  readonly clusterName: string;
  readonly members: readonly string[];
}

const MANIFEST_FILE = 'dev.json';

/**
 * Looks whether the directory, made if it is missing, can hold a cluster of this size.
 *
 * @param wanted number of members; `undefined` means as many as the directory has, or 3
 * @returns the number of members
 * @throws QuorateError `refused-to-start`
 */
export function checkDirectory(dataDir: string, wanted: number | undefined): number {
  makeDirectory(dataDir);
  const manifest = readManifest(dataDir);
  if (manifest === undefined) {
    if (readdirSync(dataDir).length === 0) return wanted ?? 3;
    throw refuse(
      `${dataDir} is not empty and was not made by 'quorate dev'; choose another directory with --data-dir.`,
    );
  }
  const present = manifest.members.length;
  if (wanted === undefined || wanted === present) return present;
  throw refuse(
    `${dataDir} holds a cluster of ${String(present)}, not of ${String(wanted)}; ` +
      `start it with --members ${String(present)}, or choose another directory with --data-dir.`,
  );
}

/**
 * Makes the directory one of a cluster of this size, for ever. Called last, when the cluster is about to start.
 *
 * @throws QuorateError `refused-to-start`
 */
export function claimDirectory(dataDir: string, memberCount: number): void {
  if (readManifest(dataDir) !== undefined) return;
  writeManifest(dataDir, { format: 1, clusterName: CLUSTER_NAME, members: memberNames(memberCount) });
}

function makeDirectory(dataDir: string): void {
  try {
    makeDirectories(dataDir);
    accessSync(dataDir, constants.R_OK | constants.W_OK | constants.X_OK);
    readdirSync(dataDir);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw refuse(`The directory ${dataDir} cannot be used (${reason}); choose another with --data-dir.`);
  }
}

/** Not `recursive: true`: in a file system that denies what it holds, such as /proc, Node then tries for ever. */
function makeDirectories(path: string): void {
  if (existsSync(path)) return;
  makeDirectories(dirname(path));
  mkdirSync(path);
}

function readManifest(dataDir: string): Manifest | undefined {
  const file = join(dataDir, MANIFEST_FILE);
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw refuse(`${file} cannot be read (${error instanceof Error ? error.message : String(error)}).`);
  }
  const manifest = parseManifest(text);
  if (manifest !== undefined) return manifest;
  throw refuse(`${file} was not written by this version of 'quorate dev'; choose another directory with --data-dir.`);
}

/** Reads the manifest; `undefined` unless it is one that this version writes. */
export function parseManifest(text: string): Manifest | undefined {
  try {
    const { format, clusterName, members } = JSON.parse(text) as Partial<Record<keyof Manifest, unknown>>;
    if (format !== 1 || clusterName !== CLUSTER_NAME || !Array.isArray(members)) return undefined;
    const names = memberNames(members.length);
    if (members.length === 0 || !names.every((name, position) => members[position] === name)) return undefined;
    return { format, clusterName, members: names };
  } catch {
    return undefined;
  }
}

function writeManifest(dataDir: string, manifest: Manifest): void {
  const file = join(dataDir, MANIFEST_FILE);
  try {
    writeFileSync(`${file}.new`, `${JSON.stringify(manifest)}\n`);
    renameSync(`${file}.new`, file);
  } catch (error) {
    throw refuse(`${file} cannot be written (${error instanceof Error ? error.message : String(error)}).`);
  }
}

/** @throws QuorateError `refused-to-start`, naming the first port that is taken */
export async function checkPorts(ports: readonly number[]): Promise<void> {
  for (const port of ports) {
    const problem = await portProblem(port);
    if (problem === undefined) continue;
    const range = `${String(ports[0])} to ${String(ports.at(-1))}`;
    throw refuse(
      `Port ${String(port)} cannot be used (${problem}), and this cluster needs ${range}; ` +
        'stop the program that has it, or choose other ports with --base-port.',
    );
  }
}

function portProblem(port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => {
      resolve(error.code === 'EADDRINUSE' ? 'it is in use' : error.message);
    });
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () =>
      server.close(() => {
        resolve(undefined);
      }),
    );
  });
}

function refuse(message: string): QuorateError {
  return new QuorateError('refused-to-start', message);
}
