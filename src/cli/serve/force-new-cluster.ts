/** Disaster recovery: when a majority is lost for ever, one member begins a new cluster alone, with the data it has. */
import { createHash } from 'node:crypto';
import { QuorateError } from '../../base/error';
import type { Logger } from '../../base/logger';
import { moveStateToCluster, readStateCluster } from '../../kv/sqlite-cluster-id';
import { openKvStateMachine } from '../../kv/state-machine';
import { decodeDirectory, encodeDirectory, firstEntry, type DirectoryEntry } from '../../node/member-directory';
import type { ServeOptions } from '../../ops/options';
import {
  allMembers,
  decodeConfiguration,
  encodeConfiguration,
  simpleConfiguration,
  type Configuration,
  type ConfigurationPayload,
} from '../../raft';
import { moveLogToCluster, readIdentity } from '../../storage/sqlite-identity';
import { openSqliteStorage } from '../../storage/sqlite-storage';
import type { Identity, LoadedLog, Storage } from '../../storage/storage';
import { statePathOf } from './state-path';

type ForceOptions = Pick<ServeOptions, 'dataDir' | 'name' | 'peerListen' | 'clientListen' | 'maxCachedBytes'>;

/**
 * Makes this member, which is stopped, the only one of a new cluster. Its log gets a configuration of itself alone in a
 * new term; once it has elected itself, everything before that in its log is committed, whether it was or not.
 *
 * The cluster's id changes, so that members of the old one, should they come back, and this one never talk to each other;
 * and their ids are never used again. Interrupted at any point, it is finished by running it again; until then the member
 * refuses to start, or finds nobody.
 *
 * @throws QuorateError `refused-to-start` when there is no data, or the member is alone already; `damaged`
 */
export async function forceNewCluster(options: ForceOptions, logger: Logger): Promise<void> {
  const identity = readIdentity(options.dataDir);
  if (identity === undefined) throw refusal(options, 'there is no data to begin a new cluster with');
  const statePath = statePathOf(options);
  const before = await inspect(options, identity, logger);
  refuseNeedless(options, identity, before);
  const clusterId = newClusterId(identity, before);
  announce({ identity, clusterId, before }, logger);
  // In this order: the log's identity decides what a repetition has still to do.
  moveStateToCluster(statePath, clusterId);
  moveLogToCluster(options.dataDir, identity, clusterId);
  await appendAlone(options, { ...identity, clusterId }, logger);
  logger.info({ clusterId }, 'the new cluster is ready; start this member without --force-new-cluster from now on');
}

/** Checks log and state as every start does, finishes what the last life left, and tells what the log ends with. */
async function inspect(options: ForceOptions, identity: Identity, logger: Logger): Promise<LoadedLog> {
  const storage = await openLog(options, identity, logger);
  try {
    const { loaded } = storage;
    const path = statePathOf(options);
    // Another cluster's only if an earlier attempt was interrupted.
    const stateCluster = readStateCluster(path);
    const interrupted = stateCluster === newClusterId(identity, loaded);
    const logStart = { index: loaded.firstIndex - 1, term: loaded.termBeforeFirst };
    const clusterId = interrupted ? stateCluster : identity.clusterId;
    await openKvStateMachine({ path, clusterId, logStart }).close();
    return loaded;
  } finally {
    await storage.close();
  }
}

function refuseNeedless(options: ForceOptions, { memberId }: Identity, loaded: LoadedLog): void {
  const members = allMembers(latest(loaded).configuration);
  if (members.length !== 1 || members[0] !== memberId) return;
  throw refusal(options, 'this member is the only one of its cluster already; start it without this option');
}

/** Derived, so that a repetition finds the same; no other cluster has it, since it depends on how far this log had come. */
function newClusterId({ clusterId, memberId }: Identity, { lastIndex, hardState }: LoadedLog): bigint {
  const facts = [clusterId, memberId, lastIndex, hardState.term].map(String).join(',');
  const id = createHash('sha256').update(`quorate-forced\0${facts}`, 'utf8').digest().readBigUInt64BE(0);
  return id === 0n ? 1n : id;
}

interface Announcement {
  readonly identity: Identity;
  readonly clusterId: bigint;
  readonly before: LoadedLog;
}

function announce({ identity, clusterId, before }: Announcement, logger: Logger): void {
  const { configuration, context } = latest(before);
  const dropped = allMembers(configuration).filter((id) => id !== identity.memberId);
  const names = new Map(decodeDirectory(context).map(({ id, name }) => [id, name]));
  logger.error(
    {
      oldClusterId: identity.clusterId,
      newClusterId: clusterId,
      lastIndex: before.lastIndex,
      term: before.hardState.term,
      droppedMembers: dropped.map((id) => names.get(id) ?? String(id)).join(','),
    },
    'FORCING A NEW CLUSTER of this member alone. Writes that were acknowledged and never reached this member are lost; ' +
      'writes that were never acknowledged may appear. The dropped members must not be started again with their old data',
  );
}

/** The last entry of the old cluster's log is followed by the first of the new one's. */
async function appendAlone(options: ForceOptions, identity: Identity, logger: Logger): Promise<void> {
  const storage = await openLog(options, identity, logger);
  try {
    const { lastIndex, hardState } = storage.loaded;
    const term = hardState.term + 1;
    const payload = encodeConfiguration(alone(options, identity, storage.loaded));
    await storage.persist({
      sequence: 1,
      hardState: { term, votedFor: undefined },
      snapshot: undefined,
      entries: [{ index: lastIndex + 1, term, kind: 'configuration', payload }],
    });
  } finally {
    await storage.close();
  }
}

/** This member alone; everybody else is a former member, so that no id is used again (invariant M7). */
function alone(options: ForceOptions, { memberId }: Identity, loaded: LoadedLog): ConfigurationPayload {
  const { configuration, context } = latest(loaded);
  const former = new Set([...configuration.removed, ...allMembers(configuration)]);
  former.delete(memberId);
  const removed = [...former].sort((a, b) => (a < b ? -1 : 1));
  const next: Configuration = { ...simpleConfiguration([memberId]), removed };
  const self = decodeDirectory(context).find(({ id }) => id === memberId) ?? entryOf(options, memberId);
  return { configuration: next, context: encodeDirectory([{ ...self, promoteWhenReady: false }]) };
}

function entryOf({ name, peerListen, clientListen }: ForceOptions, id: bigint): DirectoryEntry {
  return firstEntry({ id, name, peerAddress: peerListen, clientAddress: clientListen });
}

/** The configuration in force at the end of a log. */
function latest({ configuration, configurationEntries }: LoadedLog): ConfigurationPayload {
  const last = configurationEntries.at(-1);
  const decoded = last === undefined ? configuration : decodeConfiguration(last.payload);
  if (decoded !== undefined) return decoded;
  throw new QuorateError('damaged', 'the last configuration of the log cannot be read');
}

function openLog(options: ForceOptions, identity: Identity, logger: Logger): Promise<Storage> {
  return openSqliteStorage({
    directory: options.dataDir,
    identity,
    initialConfiguration: { configuration: simpleConfiguration([]), context: new Uint8Array() },
    maxTailBytes: options.maxCachedBytes,
    logger,
  });
}

function refusal({ dataDir }: ForceOptions, why: string): QuorateError {
  return new QuorateError('refused-to-start', `--force-new-cluster on ${dataDir}: ${why}`, {
    details: { field: 'force-new-cluster', actual: dataDir },
  });
}
