/** Rows of the history as columns. */
import { compareKeys, keyText } from '../../../src/kv/head-columns';
import { putsOf } from '../../support/head-columns';

describe('Columns of rows', () => {
  it('give each key as it was, one character a byte', () => {
    const keys = ['a', '\x00', '\xff\x80', '', 'long'.repeat(1000)];
    const heads = putsOf(keys);
    expect(keys.map((_, at) => keyText(heads, at))).toEqual(keys);
  });

  it('compare keys as the index does', () => {
    const keys = ['', '\x00', 'a', 'a\x00', 'ab', 'b', '\x7f', '\x80', '\xff', '\xff\xff', 'a'];
    const heads = putsOf(keys);
    keys.forEach((a, at) => {
      keys.forEach((b, other) => {
        const expected = a < b ? -1 : a > b ? 1 : 0;
        expect(Math.sign(compareKeys(heads, at, other))).toBe(expected);
      });
    });
  });
});
