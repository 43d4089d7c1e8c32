/** `quorate.v1.MaintenanceService`: what operators need beside the data. */
import { assert } from '../../base/assert';
import type { MaintenanceServiceServer, SnapshotResponse } from '../../gen/quorate/v1/maintenance';
import type { LogPosition } from '../../raft';
import type { ServerStreams } from '../server-streams';

/** What the service needs of a member. */
export interface MaintenanceServiceDependencies {
  readonly clusterId: bigint;
  readonly snapshots: SnapshotSource;
}

/** The part of the state machine that makes copies. */
export interface SnapshotSource {
  /** @throws QuorateError `snapshot-failed` when there is no space, for example; `stopping` */
  takeSnapshot(): Promise<StateCopy>;
}

/** A copy of the state that does not change any more. */
export interface StateCopy {
  /** The last entry it stands for. */
  readonly last: LogPosition;
  readonly sizeBytes: number;
  /** Of all its bytes: 64 hexadecimal digits. */
  readonly sha256: string;
  /**
   * Exactly `maxBytes` from `offset` on, or fewer at the end.
   *
   * @throws QuorateError `snapshot-failed`
   */
  read(offset: number, maxBytes: number): Promise<Uint8Array>;
  /** Gives its disk space back. */
  release(): Promise<void>;
}

/** Most bytes of a snapshot in one message. The schema promises no more than 256 KiB. */
const snapshotChunkBytes = 256 * 1024;

/** Bounds of the streams of this service. Each copy takes the disk space of the whole state. */
export const maintenanceLimits = { maxStreams: 2, maxStallMs: 60_000 } as const;

/** The gRPC handlers of the service. */
export function maintenanceServiceHandlers(
  needs: MaintenanceServiceDependencies,
  streams: ServerStreams,
): Pick<MaintenanceServiceServer, 'snapshot'> {
  return { snapshot: streams.handler(() => snapshot(needs)) };
}

async function* snapshot(needs: MaintenanceServiceDependencies): AsyncGenerator<SnapshotResponse, void, undefined> {
  const copy = await needs.snapshots.takeSnapshot();
  try {
    yield { part: { $case: 'header', value: headerOf(needs.clusterId, copy) } };
    for (let offset = 0; offset < copy.sizeBytes;) {
      const bytes = await copy.read(offset, snapshotChunkBytes);
      assert(bytes.length > 0, 'a copy does not end before its size');
      offset += bytes.length;
      yield { part: { $case: 'chunk', value: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength) } };
    }
  } finally {
    await copy.release();
  }
}

function headerOf(clusterId: bigint, { last, sizeBytes, sha256 }: StateCopy) {
  return { clusterId, appliedIndex: last.index, sizeBytes, sha256: Buffer.from(sha256, 'hex') };
}
