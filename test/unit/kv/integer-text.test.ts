/** Whole numbers as text. */
import { IntegerText } from '../../../src/kv/integer-text';

function numbersOf(text: string, count: number): number[] {
  const reader = new IntegerText(Buffer.from(text));
  return Array.from({ length: count }, () => reader.next());
}

describe('A text of numbers', () => {
  it('gives one after the other', () => {
    expect(numbersOf('0,7,10,4294967295', 4)).toEqual([0, 7, 10, 4_294_967_295]);
  });

  it('gives the greatest and the least exactly', () => {
    const { MAX_SAFE_INTEGER: most } = Number;
    expect(numbersOf(`${String(most)},${String(-most)},-1`, 3)).toEqual([most, -most, -1]);
  });

  it('gives 0 at its end', () => {
    expect(numbersOf('', 2)).toEqual([0, 0]);
    expect(numbersOf('5', 3)).toEqual([5, 0, 0]);
  });
});
