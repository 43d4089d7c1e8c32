/** `MaintenanceService.Snapshot`: a consistent copy of the state database. */
import type { SnapshotResponse } from '../../../gen/quorate/v1/maintenance';
import { chunksOf, type SnapshotSource, type StateCopy } from '../../state-copies';

/** What the call needs of a member. */
export interface SnapshotNeeds {
  readonly clusterId: bigint;
  readonly snapshots: SnapshotSource;
}

export async function* snapshot(needs: SnapshotNeeds): AsyncGenerator<SnapshotResponse, void, undefined> {
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
