/** The alarms of the store as clients know them: the quota's is one of `no-space`. */
import type { AlarmKind } from '../kv/command';
import type { Alarm } from '../kv/result';

/** What clients raise and are told of. */
export type ToldAlarmKind = Exclude<AlarmKind, 'quota'>;

export interface ToldAlarm extends Alarm {
  readonly alarm: ToldAlarmKind;
}

/** Each once: the quota's looks like a client's of `no-space` about no member, and both are cleared as one. */
export function toldAlarms(alarms: readonly Alarm[]): readonly ToldAlarm[] {
  const told: ToldAlarm[] = [];
  for (const { alarm: kind, memberId } of alarms) {
    const alarm = kind === 'quota' ? 'no-space' : kind;
    if (!told.some((each) => each.alarm === alarm && each.memberId === memberId)) told.push({ alarm, memberId });
  }
  return told;
}
