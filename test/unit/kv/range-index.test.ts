/** Who is found by a key: against a plain scan of all ranges. */
import fc from 'fast-check';
import type { KeyRange } from '../../../src/kv/command';
import { RangeIndex } from '../../../src/kv/range-index';

const bytes = (text: string) => Buffer.from(text, 'latin1');
const range = (start: string, end?: string): KeyRange => ({
  start: bytes(start),
  end: end === undefined ? undefined : bytes(end),
});

const found = <T>(index: RangeIndex<T>, key: string): T[] => {
  const items: T[] = [];
  index.visit(key, (item) => void items.push(item));
  return items;
};

describe('RangeIndex', () => {
  it('finds single keys, prefixes, open ends, and nothing beside them', () => {
    const index = new RangeIndex<string>();
    index.add(range('a', 'a\0'), 'a alone');
    index.add(range('a', 'b'), 'a prefix');
    index.add(range('', undefined), 'all');
    index.add(range('b', undefined), 'from b');
    index.add(range('c', 'c'), 'none');
    expect(found(index, 'a').sort()).toEqual(['a alone', 'a prefix', 'all']);
    expect(found(index, 'a\0').sort()).toEqual(['a prefix', 'all']);
    expect(found(index, 'b').sort()).toEqual(['all', 'from b']);
    expect(found(index, 'c').sort()).toEqual(['all', 'from b']);
    expect(found(index, '\xff\xff').sort()).toEqual(['all', 'from b']);
    expect(index.items().sort()).toEqual(['a alone', 'a prefix', 'all', 'from b', 'none']);
    expect(index.size).toBe(5);
  });

  it('asserts that only what was added is removed', () => {
    const index = new RangeIndex<string>();
    index.add(range('a', 'c'), 'one');
    expect(() => index.remove(range('a', 'c'), 'other')).toThrow('only what was added is removed');
    expect(() => index.remove(range('a', 'd'), 'one')).toThrow('only what was added is removed');
    expect(() => index.remove(range('x', 'x\0'), 'one')).toThrow('only what was added is removed');
  });

  it('agrees with a scan after any additions and removals', () => {
    const point = fc.string({ unit: fc.constantFrom('\0', 'a', 'b', '\xff'), maxLength: 3 });
    const span = fc.record({ start: point, end: fc.option(point, { nil: undefined }) });
    const step = fc.record({ span, isRemoval: fc.boolean(), pick: fc.nat(1000) });
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 60 }),
        fc.array(point, { minLength: 5, maxLength: 10 }),
        (steps, keys) => {
          const index = new RangeIndex<number>();
          const there: { span: { start: string; end: string | undefined }; id: number }[] = [];
          steps.forEach(({ span: added, isRemoval, pick }, id) => {
            if (isRemoval && there.length > 0) {
              const [gone] = there.splice(pick % there.length, 1);
              if (gone !== undefined) index.remove(range(gone.span.start, gone.span.end), gone.id);
            } else {
              there.push({ span: added, id });
              index.add(range(added.start, added.end), id);
            }
          });
          for (const key of keys) {
            const expected = there.filter(
              (one) => one.span.start <= key && (one.span.end === undefined || key < one.span.end),
            );
            expect(found(index, key).sort()).toEqual(expected.map(({ id }) => id).sort());
          }
          expect(index.size).toBe(there.length);
          expect(index.items().sort()).toEqual(there.map(({ id }) => id).sort());
        },
      ),
      { numRuns: 500 },
    );
  });
});
