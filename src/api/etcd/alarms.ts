/** Alarms of the store as etcd's Maintenance service has them. */
import { assert } from '../../base/assert';
import {
  AlarmRequest_AlarmAction,
  AlarmType,
  type AlarmMember,
  type AlarmRequest,
  type AlarmResponse,
} from '../../gen/etcd/etcdserverpb/maintenance';
import type { Alarm, KvReader, Result } from '../../kv/result';
import type { CallContext, Proposer } from '../../node/call';
import { type ToldAlarm, type ToldAlarmKind, toldAlarms } from '../told-alarms';
import { invalid } from '../validate';
import { headerOf, type HeaderFacts } from './header';
import { propose } from './proposals';

/** What the calls need of a member. */
export interface AlarmDependencies {
  readonly facts: HeaderFacts;
  readonly proposer: Proposer<Result>;
  readonly reader: Pick<KvReader, 'alarms' | 'revision'>;
}

/**
 * Lists alarms, raises one or clears one; the answer holds those that were asked for or changed.
 *
 * @throws QuorateError `invalid-argument` for an action that is not known, or an alarm to raise whose kind is not; and what
 *   `Proposer.propose` throws
 */
export async function alarm(
  needs: AlarmDependencies,
  request: AlarmRequest,
  call: CallContext,
): Promise<AlarmResponse> {
  const kind = kindOf(request.alarm);
  const action: number = request.action;
  switch (action) {
    case AlarmRequest_AlarmAction.GET:
      await needs.proposer.readBarrier(call);
      return answer(
        needs,
        toldAlarms(needs.reader.alarms).filter((standing) => kind === 'none' || standing.alarm === kind),
      );
    case AlarmRequest_AlarmAction.ACTIVATE:
      if (kind === 'unknown')
        throw invalid('alarm', 'is not known', { limit: '0, 1 or 2', actual: String(request.alarm) });
      return change(needs, { action: 'raise', alarm: kind, memberId: request.memberID }, call);
    case AlarmRequest_AlarmAction.DEACTIVATE:
      return change(needs, { action: 'clear', alarm: kind, memberId: request.memberID }, call);
    default:
      throw invalid('action', 'is not known', { limit: '0, 1 or 2', actual: String(action) });
  }
}

/** The alarms that stand, in the words of a member's status: etcd prints the message as it is. */
export function alarmTexts(alarms: readonly Alarm[]): string[] {
  return toldAlarms(alarms).map(({ alarm: kind, memberId }) => {
    const about = memberId === 0n ? '' : `memberID:${memberId} `;
    return `${about}alarm:${typeNames[kind]} `;
  });
}

async function change(
  needs: AlarmDependencies,
  { action, alarm: kind, memberId }: ChangeOfAlarm,
  call: CallContext,
): Promise<AlarmResponse> {
  // There is nothing to change, and that is no error.
  if (kind === 'none' || kind === 'unknown') return answer(needs, []);
  const result = await propose(needs.proposer, { kind: 'alarm', action, alarm: kind, memberId }, call);
  assert(result.kind === 'done', 'the result of an alarm is that of a change without more to tell');
  const isTold = action === 'raise' || result.changed;
  return answer(needs, isTold ? [{ alarm: kind, memberId }] : []);
}

interface ChangeOfAlarm {
  readonly action: 'raise' | 'clear';
  readonly alarm: AskedKind;
  readonly memberId: bigint;
}

function answer({ facts, reader }: AlarmDependencies, alarms: readonly ToldAlarm[]): AlarmResponse {
  return { header: headerOf(facts, reader.revision), alarms: alarms.map(alarmMessage) };
}

function alarmMessage({ alarm: kind, memberId }: ToldAlarm): AlarmMember {
  return { memberID: memberId, alarm: types[kind] };
}

/** What a request names: `none` is no kind in particular, and `unknown` one that no alarm here is of. */
type AskedKind = ToldAlarmKind | 'none' | 'unknown';

function kindOf(type: number): AskedKind {
  switch (type) {
    case AlarmType.NONE:
      return 'none';
    case AlarmType.NOSPACE:
      return 'no-space';
    case AlarmType.CORRUPT:
      return 'corrupt';
    default:
      return 'unknown';
  }
}

const types = { 'no-space': AlarmType.NOSPACE, corrupt: AlarmType.CORRUPT } as const satisfies Record<
  ToldAlarmKind,
  AlarmType
>;

const typeNames = { 'no-space': 'NOSPACE', corrupt: 'CORRUPT' } as const satisfies Record<ToldAlarmKind, string>;
