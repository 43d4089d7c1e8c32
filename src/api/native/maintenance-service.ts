/** `quorate.v1.MaintenanceService`: the handlers of its calls; what they do is in `maintenance/`. */
import type {
  ClearAlarmRequest,
  CompactRequest,
  HashKvRequest,
  ListAlarmsRequest,
  MaintenanceServiceServer,
  RaiseAlarmRequest,
  UpdateSettingsRequest,
} from '../../gen/quorate/v1/maintenance';
import type { ServerStreams } from '../server-streams';
import type { UnaryCalls } from '../unary-calls';
import { type AlarmNeeds, clearAlarm, listAlarms, raiseAlarm } from './maintenance/alarms';
import { compactMutation } from './maintenance/compact';
import { Hasher } from './maintenance/hash-kv';
import { getSettings, type SettingsNeeds, updateSettings } from './maintenance/settings';
import { snapshot, type SnapshotNeeds } from './maintenance/snapshot';
import { type StoreFacts, storeStatus } from './maintenance/store-status';
import { mutate } from './mutation';
import type { KvReader } from '../../kv/result';

/** What the service needs of a member. */
export interface MaintenanceServiceDependencies extends AlarmNeeds, SettingsNeeds, SnapshotNeeds {
  readonly reader: StoreFacts & Pick<KvReader, 'hashKv'>;
  readonly reads: AlarmNeeds['reads'];
}

/** What carries the calls. */
export interface MaintenanceServiceCarriers {
  readonly calls: UnaryCalls;
  /** For `Snapshot`. */
  readonly copies: ServerStreams;
}

/** The gRPC handlers of the service. */
export function maintenanceServiceHandlers(
  needs: MaintenanceServiceDependencies,
  { calls, copies }: MaintenanceServiceCarriers,
): MaintenanceServiceServer {
  const hasher = new Hasher(needs.reader);
  return {
    snapshot: copies.handler(() => snapshot(needs)),
    compact: calls.handler((request: CompactRequest, call) => mutate(needs, compactMutation(request, needs), call)),
    hashKv: calls.handler((request: HashKvRequest) => hasher.hashKv(request)),
    listAlarms: calls.handler((request: ListAlarmsRequest, call) => listAlarms(needs, request, call)),
    raiseAlarm: calls.handler((request: RaiseAlarmRequest, call) => raiseAlarm(needs, request, call)),
    clearAlarm: calls.handler((request: ClearAlarmRequest, call) => clearAlarm(needs, request, call)),
    getSettings: calls.handler((_request, call) => getSettings(needs, call)),
    updateSettings: calls.handler((request: UpdateSettingsRequest, call) => updateSettings(needs, request, call)),
    getStoreStatus: calls.handler(() => Promise.resolve(storeStatus(needs.reader))),
  };
}
