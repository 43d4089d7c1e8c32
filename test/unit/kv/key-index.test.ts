/** The order of keys, and what a put makes of a key's version. */
import { KeyIndex, keyToBytes, keyToString } from '../../../src/kv/key-index';

const scanned = (index: KeyIndex, start: string, end?: string): string[] => {
  const keys: string[] = [];
  index.scan(start, end, (key) => {
    keys.push(key);
    return 'next';
  });
  return keys;
};

const indexOf = (...keys: readonly string[]): KeyIndex => {
  const index = new KeyIndex();
  keys.forEach((key, i) => index.put(key, { row: i + 1, revision: i + 2, flags: 1 }));
  return index;
};

describe('KeyIndex', () => {
  it('counts versions of a key and remembers its creation', () => {
    const index = indexOf('a');
    index.put('a', { row: 9, revision: 10, flags: 3 });
    expect(index.get('a')).toMatchObject({ row: 9, createRevision: 2, modRevision: 10, version: 2, flags: 3 });
  });

  it('starts a key anew after its removal', () => {
    const index = indexOf('a', 'b');
    expect(index.delete('a', { row: 5, revision: 6 })).toMatchObject({ row: 1 });
    expect(index.delete('a', { row: 6, revision: 7 })).toBeUndefined();
    expect(index.put('a', { row: 9, revision: 10, flags: 1 })).toMatchObject({ createRevision: 10, version: 1 });
    expect(index.size).toBe(2);
  });

  it('asserts that rows of a key ascend', () => {
    const index = indexOf('a', 'b');
    expect(() => index.put('b', { row: 2, revision: 9, flags: 1 })).toThrow('rows of a key ascend');
  });

  it('orders keys by their bytes, where the order of UTF-16 units would differ', () => {
    const keys = ['￿', '😀', 'z', 'é', '\0', 'a\0', 'a'].map((key) => Buffer.from(key));
    const index = indexOf(...keys.map(keyToString));
    expect(scanned(index, '').map(keyToBytes)).toEqual([...keys].sort((a, b) => Buffer.compare(a, b)));
  });

  it('keeps every byte of a key, from any view', () => {
    const all = Uint8Array.from({ length: 256 }, (_, i) => i);
    expect([...keyToBytes(keyToString(all.subarray(1)))]).toEqual([...all.subarray(1)]);
  });

  it.each([
    ['', undefined, 'abc'],
    ['b', undefined, 'bc'],
    ['a', 'c', 'ab'],
    ['aa', 'bb', 'b'],
    ['b', 'b', ''],
    ['c', 'a', ''],
    ['d', undefined, ''],
  ])('scans from %j inclusive to %j exclusive', (start, end, expected) => {
    expect(scanned(indexOf('c', 'a', 'b'), start, end).join('')).toBe(expected);
  });

  it.each([1, 2, 64, 65, 5000])('takes %d ascending keys at a time, and goes on changing', (count) => {
    const keys = Array.from({ length: 3 * count }, (_, at) => String(at).padStart(5, '0'));
    const versions = keys.map((_, at) => ({
      row: at + 1,
      createRevision: 2,
      modRevision: 2,
      version: 1,
      flags: 1,
      older: undefined,
    }));
    const index = new KeyIndex();
    for (const start of [0, count, 2 * count]) {
      index.append(keys.slice(start, start + count), versions.slice(start, start + count));
    }
    index.append([], []);
    expect(scanned(index, '')).toEqual(keys);
    expect(index.get('00001')).toMatchObject({ row: 2 });
    expect(index.size).toBe(keys.length);
    index.put('00000a', { row: 3 * count + 1, revision: 9, flags: 1 });
    index.delete('00000', { row: 3 * count + 2, revision: 10 });
    expect(scanned(index, '')).toEqual(['00000a', ...keys.slice(1)]);
  });

  it('asserts that what is appended comes after all that is there', () => {
    const version = { row: 9, createRevision: 2, modRevision: 2, version: 1, flags: 1, older: undefined };
    expect(() => {
      indexOf('a', 'c').append(['b'], [version]);
    }).toThrow('come after all others');
  });

  it('scans nothing when it is empty, and stops when told', () => {
    expect(scanned(new KeyIndex(), '')).toEqual([]);
    const keys: string[] = [];
    indexOf('a', 'b', 'c').scan('', undefined, (key) => (keys.push(key) === 2 ? 'stop' : 'next'));
    expect(keys).toEqual(['a', 'b']);
  });
});
