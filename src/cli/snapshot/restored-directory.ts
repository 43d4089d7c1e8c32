/** Makes the data directory of a member of a new cluster from a snapshot: complete, or not there. */
import { existsSync } from 'node:fs';
import { mkdir, open, readdir, rename, rm, rmdir } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { silentLogger } from '../../base/logger';
import { QuorateError } from '../../client';
import { moveStateToCluster, readStateCluster } from '../../kv/sqlite-cluster-id';
import { syncPath } from '../../kv/state-files';
import { openKvStateMachine } from '../../kv/state-machine';
import { encodeDirectory, firstEntry } from '../../node/member-directory';
import type { InitialCluster } from '../../ops/members';
import { defaultRaftOptions, simpleConfiguration, type ConfigurationPayload, type LogPosition } from '../../raft';
import { openSqliteStorage } from '../../storage/sqlite-storage';
import { checkedParts, unusable, type SnapshotFile } from './snapshot-file';

/** What to make. */
export interface Restoration {
  readonly file: SnapshotFile;
  /** Must not be there, or be empty. */
  readonly directory: string;
  /** The new cluster; the directory will be that of `cluster.self`. */
  readonly cluster: InitialCluster;
  /** The digest that the file must have. */
  readonly sha256: string | undefined;
  readonly onProgress: (copiedBytes: number) => void;
}

/** What the new member begins with. */
export interface RestoredState {
  /** The last entry of the old log that is in the state; the new log begins after it. */
  readonly appliedIndex: number;
  readonly revision: number;
  readonly keys: number;
  /** Of the snapshot file. */
  readonly sha256: string;
}

/**
 * Makes the directory under another name, with every row checked, and gives it its name at the end, durably. The new
 * cluster's log begins where the old one's state ends, with a configuration of the new members; nothing of the old
 * cluster's ids is left.
 *
 * @throws QuorateError `invalid-argument` when the directory is in use or the file is not the one that is expected;
 *   `damaged`; `refused-to-start` when the file is no state database, or a newer one
 */
export async function restoreDirectory(restoration: Restoration): Promise<RestoredState> {
  const directory = resolve(restoration.directory);
  await refuseUsed(directory);
  const building = join(dirname(directory), `.${basename(directory)}.restoring`);
  await rm(building, { recursive: true, force: true });
  await mkdir(building, { recursive: true, mode: 0o700 });
  try {
    const state = await build(restoration, building);
    if (existsSync(directory)) await rmdir(directory);
    await rename(building, directory);
    syncPath(dirname(directory));
    return state;
  } catch (error) {
    await rm(building, { recursive: true, force: true });
    throw error;
  }
}

async function refuseUsed(directory: string): Promise<void> {
  const names = await readdir(directory).catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw refusal(directory, `cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  });
  if (names.length > 0) throw refusal(directory, 'is not empty; name a directory that is not there yet');
}

async function build(restoration: Restoration, building: string): Promise<RestoredState> {
  const { file, cluster } = restoration;
  // Storage takes a state without a log for one that lost it, so it gets its name after the log was made.
  const path = join(building, 'copied.db');
  const sha256 = await copyTo(path, restoration);
  if (readStateCluster(path) === cluster.clusterId) {
    const problem = `is of the cluster with the id ${String(cluster.clusterId)}, which is what --cluster-name gives: choose another`;
    throw unusable(file.path, problem);
  }
  moveStateToCluster(path, cluster.clusterId);
  const { last, ...state } = await checkState(path, cluster.clusterId);
  await makeLog(building, cluster, last);
  syncPath(path);
  await rename(path, join(building, 'state.db'));
  syncPath(building);
  return { appliedIndex: last.index, ...state, sha256 };
}

/** @returns the digest of what was copied, which is the expected one */
async function copyTo(path: string, { file, sha256, onProgress }: Restoration): Promise<string> {
  const handle = await open(path, 'wx', 0o600);
  try {
    const parts = checkedParts(file, sha256);
    let copied = 0;
    for (let next = await parts.next(); ; next = await parts.next()) {
      if (next.done === true) return next.value;
      await handle.writeFile(next.value);
      copied += next.value.length;
      onProgress(copied);
    }
  } finally {
    await handle.close();
  }
}

/** Opens the state as a member would, and reads all of it. @throws QuorateError `damaged` */
async function checkState(
  path: string,
  clusterId: bigint,
): Promise<Pick<RestoredState, 'revision' | 'keys'> & { readonly last: LogPosition }> {
  const store = openKvStateMachine({ path, clusterId });
  try {
    store.hash();
    const last = { index: store.appliedIndex, term: store.appliedTerm };
    return { last, revision: store.revision, keys: store.keyCount };
  } finally {
    await store.close();
  }
}

/** A log without entries, which begins after those that made the state. */
async function makeLog(directory: string, cluster: InitialCluster, last: LogPosition): Promise<void> {
  const initial = configurationOf(cluster);
  const storage = await openSqliteStorage({
    directory,
    identity: { clusterId: cluster.clusterId, memberId: cluster.self.id },
    initialConfiguration: initial,
    maxTailBytes: defaultRaftOptions.maxCachedBytes,
    logger: silentLogger,
  });
  try {
    if (last.index === 0) return;
    const hardState = { term: last.term, votedFor: undefined };
    const snapshot = { last, configuration: { index: last.index, ...initial } };
    await storage.persist({ sequence: 1, hardState, snapshot, entries: [] });
  } finally {
    await storage.close();
  }
}

function configurationOf({ members }: InitialCluster): ConfigurationPayload {
  const configuration = simpleConfiguration(members.map(({ id }) => id));
  return { configuration, context: encodeDirectory(members.map(firstEntry)) };
}

function refusal(directory: string, problem: string): QuorateError {
  return new QuorateError('invalid-argument', `${directory} ${problem}`, {
    details: { field: 'data-dir', actual: directory },
  });
}
