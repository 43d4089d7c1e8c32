/** Alarms of the store as etcd's Maintenance service has them. */
import { assert } from '../../base/assert';
import {
  AlarmRequest_AlarmAction,
  AlarmType,
  type AlarmMember,
  type AlarmRequest,
  type AlarmResponse,
} from '../../gen/etcd/etcdserverpb/maintenance';
import type { AlarmKind } from '../../kv/command';
import type { Alarm, KvReader, Result } from '../../kv/result';
import type { CallContext, Proposer } from '../../node/call';
import { invalid } from '../validate';
import { headerOf, type HeaderFacts } from './header';
import { propose } from './proposals';

/** What the calls need of a member. */
export interface AlarmDependencies {
  readonly facts: HeaderFacts;
  readonly proposer: Proposer<Result>;
  readonly reader: Pick<KvReader, 'alarms' | 'revision'>;
}

/** Lists alarms, raises one or clears one; the answer holds those that were asked for or changed. */
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
        needs.reader.alarms.filter((standing) => kind === undefined || standing.alarm === kind),
      );
    case AlarmRequest_AlarmAction.ACTIVATE:
      return change(needs, { action: 'raise', alarm: kind, memberId: request.memberID }, call);
    case AlarmRequest_AlarmAction.DEACTIVATE:
      return change(needs, { action: 'clear', alarm: kind, memberId: request.memberID }, call);
    default:
      throw invalid('action', 'is not known', { limit: '0, 1 or 2', actual: String(action) });
  }
}

/** The alarms that stand, in the words of a member's status: etcd prints the message as it is. */
export function alarmTexts(alarms: readonly Alarm[]): string[] {
  return alarms.map(({ alarm: kind, memberId }) => {
    const about = memberId === 0n ? '' : `memberID:${memberId} `;
    return `${about}alarm:${typeNames[kind]} `;
  });
}

async function change(
  needs: AlarmDependencies,
  { action, alarm: kind, memberId }: ChangeOfAlarm,
  call: CallContext,
): Promise<AlarmResponse> {
  // No kind of alarm: etcd changes nothing, and that is no error.
  if (kind === undefined) return answer(needs, []);
  const result = await propose(needs.proposer, { kind: 'alarm', action, alarm: kind, memberId }, call);
  assert(result.kind === 'done', 'the result of an alarm is that of a change without more to tell');
  const isTold = action === 'raise' || result.changed;
  return answer(needs, isTold ? [{ alarm: kind, memberId }] : []);
}

interface ChangeOfAlarm {
  readonly action: 'raise' | 'clear';
  readonly alarm: AlarmKind | undefined;
  readonly memberId: bigint;
}

function answer({ facts, reader }: AlarmDependencies, alarms: readonly Alarm[]): AlarmResponse {
  return { header: headerOf(facts, reader.revision), alarms: alarms.map(alarmMessage) };
}

function alarmMessage({ alarm: kind, memberId }: Alarm): AlarmMember {
  return { memberID: memberId, alarm: types[kind] };
}

/** `undefined` for no kind in particular. */
function kindOf(type: number): AlarmKind | undefined {
  switch (type) {
    case AlarmType.NONE:
      return undefined;
    case AlarmType.NOSPACE:
      return 'no-space';
    case AlarmType.CORRUPT:
      return 'corrupt';
    default:
      throw invalid('alarm', 'is not known', { limit: '0, 1 or 2', actual: String(type) });
  }
}

const types = { 'no-space': AlarmType.NOSPACE, corrupt: AlarmType.CORRUPT } as const satisfies Record<
  AlarmKind,
  AlarmType
>;

const typeNames = { 'no-space': 'NOSPACE', corrupt: 'CORRUPT' } as const satisfies Record<AlarmKind, string>;
