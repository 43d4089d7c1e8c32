/** Request ids in requests: which are taken, and what is said of the others. */
import { QuorateError } from '../../../src/base/error';
import { checkedRequestId, requestIdWindow } from '../../../src/api/request-ids';

const madeAt = 0x01890a5dac96;
const id = '01890a5d-ac96-774b-bcce-b302099a8057';

/** The error that a check ends with. */
function refusal(text: string, now: number): QuorateError {
  try {
    checkedRequestId(text, now);
  } catch (error) {
    if (error instanceof QuorateError) return error;
  }
  throw new Error('it should have been refused');
}

describe('a request id', () => {
  it('may be left out', () => {
    expect(checkedRequestId('', madeAt)).toBeUndefined();
  });

  it('is 16 bytes to the store', () => {
    expect(Buffer.from(checkedRequestId(id, madeAt) ?? []).toString('hex')).toBe(id.replaceAll('-', ''));
  });

  it('is taken up to the ends of its window, and refused beyond: surely not done', () => {
    const { behindMs, aheadMs } = requestIdWindow;
    for (const now of [madeAt + behindMs, madeAt - aheadMs]) expect(checkedRequestId(id, now)).toBeDefined();
    const late = refusal(id, madeAt + behindMs + 1000);
    expect(late).toMatchObject({ code: 'invalid-argument', outcome: 'not-done' });
    expect(late.details).toMatchObject({ field: 'request_id', actual: '3601 s old' });
    // Which time would have been right: a client whose clock is wrong goes by it.
    expect(late.details.requestTimeMs).toBe(madeAt + behindMs + 1000);
    expect(refusal(id, madeAt - aheadMs - 1000).details.actual).toBe('301 s ahead');
  });

  it('must be a UUID of version 7', () => {
    const { details, message } = refusal('request-1', madeAt);
    expect(details).toMatchObject({ field: 'request_id', actual: 'another text of 9 characters' });
    expect(message).toContain('UUID of version 7');
  });
});
