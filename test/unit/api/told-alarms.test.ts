import { toldAlarms } from '../../../src/api/told-alarms';

describe('Alarms as clients are told', () => {
  it('are what operators raised', () => {
    const alarms = [
      { alarm: 'corrupt', memberId: 0n },
      { alarm: 'no-space', memberId: 17n },
    ] as const;
    expect(toldAlarms(alarms)).toEqual(alarms);
  });

  it('show that of the quota as one of no space about no member, once', () => {
    const quota = { alarm: 'quota', memberId: 0n } as const;
    const shown = { alarm: 'no-space', memberId: 0n } as const;
    expect(toldAlarms([quota])).toEqual([shown]);
    expect(toldAlarms([shown, quota])).toEqual([shown]);
    expect(toldAlarms([{ alarm: 'no-space', memberId: 3n }, quota])).toEqual([
      { alarm: 'no-space', memberId: 3n },
      shown,
    ]);
  });
});
