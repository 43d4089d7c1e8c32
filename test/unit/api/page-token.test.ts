/** Page tokens: go on where the page ended, in the same selection only. */
import fc from 'fast-check';
import { QuorateError } from '../../../src/base/error';
import { pageTokenAfter, rangeFrom } from '../../../src/api/page-token';

const bytes = (text: string) => Buffer.from(text);
const selection = { start: bytes('a'), end: bytes('m') };

describe('page token', () => {
  it('begins the next page just after the last key', () => {
    expect(rangeFrom(selection, pageTokenAfter(selection, bytes('c')))).toEqual({
      start: bytes('c\0'),
      end: bytes('m'),
    });
  });

  it('is not needed for the first page', () => {
    expect(rangeFrom(selection, '')).toBe(selection);
  });

  it.each([
    ['another end', { start: bytes('a'), end: bytes('n') }],
    ['another start', { start: bytes('b'), end: bytes('m') }],
    ['no end', { start: bytes('a'), end: undefined }],
    ['the same bytes divided otherwise', { start: bytes(''), end: bytes('am') }],
  ])('is refused for a selection with %s', (_, other) => {
    expect(() => rangeFrom(other, pageTokenAfter(selection, bytes('c')))).toThrow('page_token does not belong here');
  });

  it('is refused when anything in it was changed, and nothing but a QuorateError comes of any text', () => {
    const token = pageTokenAfter(selection, bytes('cat'));
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.base64String(), fc.nat(token.length - 1)), (input) => {
        const text = typeof input === 'number' ? `${token.slice(0, input)}_${token.slice(input + 1)}` : input;
        if (text === token || text === '') return;
        expect(() => rangeFrom(selection, text)).toThrow(QuorateError);
      }),
    );
  });
});
