/** The cache of records: what it finds again, and that it is bounded. */
import { RecordCache } from '../../../src/kv/record-cache';
import type { KeyRecord } from '../../../src/kv/result';

/** With the cache's own 200 bytes: 1000. */
const record = (version: number): KeyRecord => ({
  ...{ key: Buffer.alloc(100), value: Buffer.alloc(700), form: 'bytes', lease: 0n },
  ...{ createRevision: 1, modRevision: version, version },
});

describe('RecordCache', () => {
  it('finds what was added, by row', () => {
    const cache = new RecordCache(10_000);
    cache.add(1, record(1));
    cache.add(2, record(2));
    expect(cache.get(2)).toEqual(record(2));
    expect(cache.get(3)).toBeUndefined();
  });

  it('forgets what was not used for long, and keeps what was', () => {
    const cache = new RecordCache(10_000);
    cache.add(1, record(1));
    cache.add(2, record(2));
    for (let row = 3; row <= 20; row++) {
      expect(cache.get(1)).toBeDefined();
      cache.add(row, record(row));
    }
    expect(cache.get(2)).toBeUndefined();
    const held = Array.from({ length: 20 }, (_, at) => at + 1).filter((row) => cache.get(row) !== undefined);
    expect(held.length).toBeGreaterThanOrEqual(5);
    expect(held.length).toBeLessThanOrEqual(11);
  });
});
