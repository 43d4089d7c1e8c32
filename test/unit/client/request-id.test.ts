import { uuid7TimeMs, parseUuid7 } from '../../../src/base/uuid7';
import { newRequestId, RequestClock } from '../../../src/client/request-id';

describe('request ids', () => {
  it('follow the time that a member tells, and go on from there', () => {
    const clock = new RequestClock();
    const timeOf = (id: string) => uuid7TimeMs(parseUuid7(id) ?? new Uint8Array(0));
    expect(Math.abs(timeOf(clock.newId()) - Date.now())).toBeLessThan(1000);
    const told = Date.now() + 3_600_000;
    clock.set(told);
    expect(timeOf(clock.newId()) - told).toBeGreaterThanOrEqual(0);
    expect(timeOf(clock.newId()) - told).toBeLessThan(1000);
  });

  it('are UUIDs of version 7 with the time in front (RFC 9562 §5.7)', () => {
    // The example of RFC 9562, appendix A.6: 2022-02-22 19:22:22 UTC.
    const id = newRequestId(0x017f22e279b0);
    expect(id).toMatch(/^017f22e2-79b0-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  });

  it('differ, also within a millisecond, in 74 bits', () => {
    const ids = new Set(Array.from({ length: 1_000 }, () => newRequestId(1)));
    expect(ids.size).toBe(1_000);
    const bits = [...ids].map((id) => BigInt(`0x${id.replaceAll('-', '')}`));
    const everSet = bits.reduce((all, one) => all | one, 0n);
    const alwaysSet = bits.reduce((all, one) => all & one);
    const ones = [...(everSet & ~alwaysSet).toString(2)].filter((bit) => bit === '1');
    expect(ones).toHaveLength(74);
  });

  it('are ordered by their time', () => {
    expect(newRequestId(1_000) < newRequestId(1_001)).toBe(true);
  });
});
