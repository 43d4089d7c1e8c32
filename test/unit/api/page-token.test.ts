/** Page tokens: go on where the page ended, in the same selection only. */
import fc from 'fast-check';
import { QuorateError } from '../../../src/base/error';
import { pageTokenAfter, positionOf } from '../../../src/api/page-token';

const bytes = (text: string) => Buffer.from(text);
const selection = { start: bytes('a'), end: bytes('m') };

describe('page token', () => {
  it('begins the next page just after the last key, at the revision of the first page', () => {
    expect(positionOf(selection, pageTokenAfter(selection, bytes('c'), 7))).toEqual({
      range: { start: bytes('c\0'), end: bytes('m') },
      revision: 7,
    });
  });

  it('is not needed for the first page', () => {
    expect(positionOf(selection, '')).toBeUndefined();
  });

  it.each([
    ['another end', { start: bytes('a'), end: bytes('n') }],
    ['another start', { start: bytes('b'), end: bytes('m') }],
    ['no end', { start: bytes('a'), end: undefined }],
    ['the same bytes divided otherwise', { start: bytes(''), end: bytes('am') }],
  ])('is refused for a selection with %s', (_, other) => {
    expect(() => positionOf(other, pageTokenAfter(selection, bytes('c'), 7))).toThrow(
      'page_token does not belong here',
    );
  });

  it('is refused when anything in it was changed, and nothing but a QuorateError comes of any text', () => {
    const token = pageTokenAfter(selection, bytes('cat'), 2 ** 53 - 1);
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.base64String(), fc.nat(token.length - 1)), (input) => {
        const text = typeof input === 'number' ? `${token.slice(0, input)}_${token.slice(input + 1)}` : input;
        if (text === token || text === '') return;
        expect(() => positionOf(selection, text)).toThrow(QuorateError);
      }),
    );
  });
});
