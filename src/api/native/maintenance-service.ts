/** `quorate.v1.MaintenanceService`: what operators need beside the data. */
import type { MaintenanceServiceServer, SnapshotResponse } from '../../gen/quorate/v1/maintenance';
import type { ServerStreams } from '../server-streams';
import { chunksOf, type SnapshotSource, type StateCopy } from '../state-copies';

/** What the service needs of a member. */
export interface MaintenanceServiceDependencies {
  readonly clusterId: bigint;
  readonly snapshots: SnapshotSource;
}

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
    for await (const chunk of chunksOf(copy)) yield { part: { $case: 'chunk', value: chunk } };
  } finally {
    await copy.release();
  }
}

function headerOf(clusterId: bigint, { last, sizeBytes, sha256 }: StateCopy) {
  return { clusterId, appliedIndex: last.index, sizeBytes, sha256: Buffer.from(sha256, 'hex') };
}
