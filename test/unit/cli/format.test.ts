import {
  bytesForPeople,
  cut,
  durationForPeople,
  escapeControls,
  eventToJson,
  keyValueToJson,
  plural,
  tableLines,
  toJson,
  valueForTerminal,
} from '../../../src/cli/format';
import { plainValue } from '../../../src/cli/get';
import { listRow } from '../../../src/cli/list';
import type { KeyValue, Value } from '../../../src/client';

const kv = (value: Value | undefined): KeyValue => ({
  ...{ key: 'a', value, createRevision: 2, modRevision: 3, version: 2 },
  leaseId: undefined,
});

describe('JSON output', () => {
  it('writes 64-bit ids as strings', () => {
    expect(toJson({ id: 2n ** 64n - 1n, term: 3 })).toBe('{"id":"18446744073709551615","term":3}');
  });

  it('writes text as text, bytes in base64, and no value for a key alone', () => {
    const counters = { createRevision: 2, modRevision: 3, version: 2 };
    expect(keyValueToJson(kv('1'))).toEqual({ key: 'a', text: '1', ...counters });
    expect(keyValueToJson(kv(new Uint8Array([9, 0, 255, 9]).subarray(1, 3)))).toEqual({
      key: 'a',
      data: 'AP8=',
      ...counters,
    });
    expect(keyValueToJson(kv(undefined))).toEqual({ key: 'a', ...counters });
    expect(keyValueToJson(kv(''))).toMatchObject({ text: '' });
    expect(toJson(keyValueToJson({ ...kv('1'), leaseId: 7n }))).toContain('"leaseId":"7"');
  });

  it('writes of a deletion the key and its revision', () => {
    const deletion = { type: 'delete', kv: kv(undefined), previous: kv('1') } as const;
    expect(eventToJson(deletion)).toEqual({
      type: 'delete',
      kv: { key: 'a', modRevision: 3 },
      previous: keyValueToJson(kv('1')),
    });
  });
});

describe('values on a terminal', () => {
  it('cannot move the cursor, change colours or the direction of text', () => {
    expect(escapeControls('a\x1b[31m\r\n\t\\\u009b\u202e\x00ü😀')).toBe('a\\x1b[31m\\r\\n\\t\\\\\\x9b\\u202e\\x00ü😀');
    expect(valueForTerminal(new Uint8Array([27, 255]))).toBe('(2 bytes) 1bff');
    expect(valueForTerminal(new Uint8Array(33))).toBe(`(33 bytes) ${'00'.repeat(32)}...`);
  });

  it('are exactly what is stored when the reader is a program', () => {
    expect(plainValue(kv('x\n'), false)).toBe('x\n\n');
    expect(plainValue(kv(new Uint8Array([0, 10])), false)).toEqual(new Uint8Array([0, 10]));
    expect(plainValue(kv('x\n'), true)).toBe('x\\n\n');
  });
});

describe('tables', () => {
  it('align columns and leave nothing at the end of a line', () => {
    expect(
      tableLines([
        ['A', 'LONG'],
        ['ü😀', '1'],
      ]),
    ).toEqual(['A   LONG', 'ü😀  1']);
    expect(tableLines([])).toEqual([]);
  });

  it('cut what is too long', () => {
    expect(cut('ü😀abc', 4)).toBe('ü😀a…');
    expect(cut('abcd', 4)).toBe('abcd');
    expect(listRow(kv('x'.repeat(100)), false)).toEqual(['a', '3', `${'x'.repeat(59)}…`]);
    expect(listRow(kv('x'), true)).toEqual(['a', '3']);
  });

  it('tell sizes and counts', () => {
    expect([0, 1023, 1024, 1_572_864].map(bytesForPeople)).toEqual(['0 B', '1023 B', '1.0 KiB', '1.5 MiB']);
    expect([plural(1, 'key'), plural(0, 'key')]).toEqual(['1 key', '0 keys']);
  });
});

describe('durations', () => {
  it('have a unit that fits', () => {
    const texts = [450, 30_000, 90_000, 5_400_000, 172_800_000].map(durationForPeople);
    expect(texts).toEqual(['450 ms', '30 s', '1.5 min', '1.5 h', '2 d']);
  });
});
