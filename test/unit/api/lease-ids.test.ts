/** Ids of leases that members make. */
import { leaseIdsFor } from '../../../src/api/lease-ids';

const requestId = Buffer.from('01890a5dac96774bbcceb302099a8057', 'hex');
const other = Buffer.from('01890a5dac96774bbcceb302099a8058', 'hex');

/** The first ids that a source gives. */
const firstOf = (source: () => bigint) => [source(), source(), source()];

describe('ids of leases', () => {
  it('are the same whenever a call with a request id is repeated, so that its command is the same (invariant X1)', () => {
    expect(firstOf(leaseIdsFor(requestId))).toEqual(firstOf(leaseIdsFor(Buffer.from(requestId))));
  });

  it('differ within a call, between request ids, and between calls without one', () => {
    const ids = [requestId, other, undefined, undefined].flatMap((id) => firstOf(leaseIdsFor(id)));
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('are positive numbers of 64 bits', () => {
    for (let i = 0; i < 100; i++) {
      const id = leaseIdsFor(undefined)();
      expect(id > 0n && id < 2n ** 63n).toBe(true);
    }
  });
});
