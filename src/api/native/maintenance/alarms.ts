/** `MaintenanceService.ListAlarms`, `RaiseAlarm` and `ClearAlarm`. */
import { assert } from '../../../base/assert';
import {
  type Alarm as AlarmMessage,
  AlarmType,
  type ClearAlarmRequest,
  type ClearAlarmResponse,
  type ListAlarmsRequest,
  type ListAlarmsResponse,
  type RaiseAlarmRequest,
  type RaiseAlarmResponse,
} from '../../../gen/quorate/v1/maintenance';
import type { AlarmCommand, RequestId } from '../../../kv/command';
import type { KvReader, Result } from '../../../kv/result';
import type { CallContext, Proposer } from '../../../node/call';
import type { ReadGate } from '../../read-gate';
import { checkedRequestId } from '../../request-ids';
import { type ToldAlarmKind, toldAlarms } from '../../told-alarms';
import { invalid } from '../../validate';
import { isReplayed, mutate, type RequestBounds } from '../mutation';

/** What the calls need of a member. */
export interface AlarmNeeds extends Pick<RequestBounds, 'wallClock'> {
  readonly proposer: Pick<Proposer<Result>, 'propose'>;
  readonly reader: Pick<KvReader, 'alarms'>;
  readonly reads: ReadGate;
  /** This member. */
  readonly selfId: bigint;
}

export async function listAlarms(
  { reader, reads }: Pick<AlarmNeeds, 'reader' | 'reads'>,
  { consistency }: ListAlarmsRequest,
  call: CallContext,
): Promise<ListAlarmsResponse> {
  await reads.admit({ consistency, maxStaleness: undefined, minRevision: 0 }, call);
  return { alarms: alarmMessages(reader.alarms) };
}

export function raiseAlarm(
  needs: AlarmNeeds,
  request: RaiseAlarmRequest,
  call: CallContext,
): Promise<RaiseAlarmResponse> {
  const alarm = alarmKind(request.type);
  const memberId = request.memberId === 0n ? needs.selfId : request.memberId;
  const requestId = checkedRequestId(request.requestId, needs.wallClock());
  return change(needs, { requestId, command: { kind: 'alarm', action: 'raise', alarm, memberId } }, call);
}

/** Without a member, every alarm of the type is cleared, one by one. */
export async function clearAlarm(
  needs: AlarmNeeds,
  request: ClearAlarmRequest,
  call: CallContext,
): Promise<ClearAlarmResponse> {
  const alarm = alarmKind(request.type);
  const clear = (memberId: bigint): AlarmCommand => ({ kind: 'alarm', action: 'clear', alarm, memberId });
  const requestId = checkedRequestId(request.requestId, needs.wallClock());
  if (request.memberId !== 0n) return change(needs, { requestId, command: clear(request.memberId) }, call);
  if (requestId !== undefined) {
    throw invalid('request_id', 'does not go with member_id 0', { limit: 'one member', actual: 'whichever member' });
  }
  await needs.reads.linearizable(call);
  const standing = toldAlarms(needs.reader.alarms).filter((it) => it.alarm === alarm);
  let changed = false;
  for (const { memberId } of standing) {
    const cleared = await change(needs, { requestId, command: clear(memberId) }, call);
    changed ||= cleared.changed;
  }
  return { changed, replayed: false };
}

/** The alarms that stand, as messages. */
export function alarmMessages(alarms: KvReader['alarms']): AlarmMessage[] {
  return toldAlarms(alarms).map(({ alarm, memberId }) => ({ type: typeOfKind[alarm], memberId }));
}

function change(
  needs: AlarmNeeds,
  command: { readonly requestId: RequestId | undefined; readonly command: AlarmCommand },
  call: CallContext,
): Promise<{ changed: boolean; replayed: boolean }> {
  return mutate(
    needs,
    {
      command,
      answer(result) {
        assert(result.kind === 'done', 'an alarm is raised or cleared, or was already');
        return { changed: result.changed, replayed: isReplayed(result) };
      },
    },
    call,
  );
}

const typeOfKind = {
  'no-space': AlarmType.NO_SPACE,
  corrupt: AlarmType.CORRUPT,
} as const satisfies Record<ToldAlarmKind, AlarmType>;

function alarmKind(type: number): ToldAlarmKind {
  switch (type) {
    case AlarmType.NO_SPACE:
      return 'no-space';
    case AlarmType.CORRUPT:
      return 'corrupt';
    default:
      throw invalid('type', 'is no type of alarm', { limit: '1 or 2', actual: String(type) });
  }
}
