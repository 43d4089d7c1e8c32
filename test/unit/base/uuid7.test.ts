/** UUIDs of version 7: their text, and their time. */
import { parseUuid7, uuid7TimeMs } from '../../../src/base/uuid7';

const text = '01890a5d-ac96-774b-bcce-b302099a8057';

describe('a UUID of version 7', () => {
  it('is read from its text, whatever the case of its digits', () => {
    const bytes = Buffer.from('01890a5dac96774bbcceb302099a8057', 'hex');
    expect(Buffer.from(parseUuid7(text) ?? [])).toEqual(bytes);
    expect(parseUuid7(text.toUpperCase())).toEqual(parseUuid7(text));
  });

  it('tells when it was made (RFC 9562, section 5.7)', () => {
    expect(uuid7TimeMs(parseUuid7(text) ?? new Uint8Array())).toBe(0x01890a5dac96);
    const last = parseUuid7('ffffffff-ffff-7000-8000-000000000000');
    expect(uuid7TimeMs(last ?? new Uint8Array())).toBe(2 ** 48 - 1);
  });

  it.each([
    ['version 4', '01890a5d-ac96-474b-bcce-b302099a8057'],
    ['another variant', '01890a5d-ac96-774b-ccce-b302099a8057'],
    ['no dashes', '01890a5dac96774bbcceb302099a8057'],
    ['braces', `{${text}}`],
    ['a letter that is no digit', '01890a5d-ac96-774b-bcce-b302099a805g'],
    ['something after it', `${text} `],
    ['nothing', ''],
  ])('is not seen in a text of %s', (_, other) => {
    expect(parseUuid7(other)).toBeUndefined();
  });
});
