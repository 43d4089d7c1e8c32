import fc from 'fast-check';
import type { Entry, EntryKind } from '../../../src/raft';
import {
  checksumOf,
  checksumOfCovered,
  decodeEntries,
  decodeGroup,
  encodeGroup,
  encodeRecords,
  kindOfCode,
  type LogRecord,
} from '../../../src/storage/entry-codec';
import { entries, entry, plain } from '../../support/log-builders';

const kinds: readonly EntryKind[] = ['no-op', 'command', 'configuration'];

const anyEntry: fc.Arbitrary<Entry> = fc.record({
  index: fc.maxSafeNat(),
  term: fc.maxSafeNat(),
  kind: fc.constantFrom(...kinds),
  payload: fc.uint8Array({ maxLength: 200 }),
});

/** The records of a group, with their bytes copied so that they compare by content. */
function recordsOf(
  group: readonly { sequence: number; hardState: undefined; snapshot: undefined; entries: readonly Entry[] }[],
): LogRecord[] {
  return [...decodeGroup(encodeGroup(group)).records];
}

describe('Entry codec', () => {
  it('gives back every entry it was given', () => {
    fc.assert(
      fc.property(fc.array(anyEntry, { maxLength: 20 }), (list) => {
        const records = recordsOf([{ sequence: 1, hardState: undefined, snapshot: undefined, entries: list }]);
        expect(plain(decodeEntries(encodeRecords(records)))).toEqual(plain(list));
      }),
    );
  });

  it('joins several persists in order, with the newest hard state among them', () => {
    const group = decodeGroup(
      encodeGroup([
        { sequence: 1, hardState: { term: 4, votedFor: 1n }, snapshot: undefined, entries: entries(1, 2) },
        { sequence: 2, hardState: { term: 5, votedFor: 0xffffffffffffffffn }, snapshot: undefined, entries: [] },
        { sequence: 3, hardState: undefined, snapshot: undefined, entries: [entry(2, 5)] },
      ]),
    );
    expect(group.hardState).toEqual({ term: 5, votedFor: 0xffffffffffffffffn });
    expect([...group.records].map(({ index, term }) => [index, term])).toEqual([
      [1, 1],
      [2, 1],
      [2, 5],
    ]);
  });

  it('tells a hard state without a vote from no hard state', () => {
    const withoutVote = { sequence: 1, hardState: { term: 4, votedFor: undefined }, snapshot: undefined, entries: [] };
    expect(decodeGroup(encodeGroup([withoutVote])).hardState).toEqual({ term: 4, votedFor: undefined });
    expect(decodeGroup(encodeGroup([{ ...withoutVote, hardState: undefined }])).hardState).toBeUndefined();
  });

  it('keeps the numbers of the kinds, which old logs hold', () => {
    const list = kinds.map((kind, position) => ({ ...entry(position + 1), kind }));
    const records = recordsOf([{ sequence: 1, hardState: undefined, snapshot: undefined, entries: list }]);
    expect(records.map(({ kindCode }) => kindCode)).toEqual([0, 1, 2]);
    expect([0, 1, 2, 3].map(kindOfCode)).toEqual([...kinds, undefined]);
  });
});

describe('Checksum of an entry', () => {
  it('is the same from a stored row and from a buffer just handed over, also for an empty payload', () => {
    fc.assert(
      fc.property(anyEntry, fc.nat(0xffffffff), (one, previous) => {
        const [record] = recordsOf([{ sequence: 1, hardState: undefined, snapshot: undefined, entries: [one] }]) as [
          LogRecord,
        ];
        expect(checksumOf(record, previous)).toBe(checksumOfCovered(record.covered, previous));
      }),
    );
  });

  it('changes with index, term, kind, any bit of the payload, and the entry before', () => {
    const record = { index: 7, term: 3, kindCode: 1, payload: Buffer.from('value') };
    const checksum = checksumOf(record, 99);
    expect(checksumOf({ ...record, index: 8 }, 99)).not.toBe(checksum);
    expect(checksumOf({ ...record, term: 4 }, 99)).not.toBe(checksum);
    expect(checksumOf({ ...record, kindCode: 2 }, 99)).not.toBe(checksum);
    expect(checksumOf(record, 98)).not.toBe(checksum);
    for (let bit = 0; bit < record.payload.length * 8; bit++) {
      const payload = Buffer.from(record.payload);
      payload.writeUInt8(payload.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
      expect(checksumOf({ ...record, payload }, 99)).not.toBe(checksum);
    }
  });

  it('has a fixed value, computed by another program, so that logs stay readable', () => {
    // Python: binascii.crc32(struct.pack('>QQB', 2**40 + 1, 2**33 + 2, 1) + b'value', 0x12345678)
    const record = { index: 2 ** 40 + 1, term: 2 ** 33 + 2, kindCode: 1, payload: Buffer.from('value') };
    expect(checksumOf(record, 0x12345678)).toBe(0x63332f38);
  });
});
