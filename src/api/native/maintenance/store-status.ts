/** `MaintenanceService.GetStoreStatus`: what this member's copy of the data holds, from memory. */
import type { GetStoreStatusResponse } from '../../../gen/quorate/v1/maintenance';
import type { KvReader } from '../../../kv/result';
import { alarmMessages } from './alarms';

/** The facts it is made of. */
export type StoreFacts = Pick<
  KvReader,
  'revision' | 'compactRevision' | 'keyCount' | 'leaseCount' | 'sizeBytes' | 'sizeInUseBytes' | 'quotaBytes' | 'alarms'
>;

export function storeStatus(reader: StoreFacts): GetStoreStatusResponse {
  const { revision, compactRevision, keyCount, leaseCount, quotaBytes } = reader;
  return {
    revision,
    compactRevision,
    keyCount,
    leaseCount,
    sizeBytes: reader.sizeBytes(),
    sizeInUseBytes: reader.sizeInUseBytes(),
    quotaBytes,
    alarms: alarmMessages(reader.alarms),
  };
}
