/** The bytes of commands: pinned, and refused when they are anything else. */
import type { Command } from '../../../src/kv/command';
import { decodeCommand, encodeCommand } from '../../../src/kv/command-codec';
import { bytes, del, expectError, put } from '../../support/kv-entries';

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex');

describe('encodeCommand', () => {
  it.each<[string, Command, string]>([
    ['a put of text', put('ab', 'xyz'), '01 01 01 02 6162 78797a'],
    ['a put of bytes', { kind: 'put', key: bytes('k'), value: hex('00ff'), form: 'bytes' }, '01 01 02 01 6b 00ff'],
    ['a put of an empty value', put('k', ''), '01 01 01 01 6b'],
    ['a delete', del('ab'), '01 02 6162'],
  ])('writes %s as it always did, since the log keeps it for ever', (_, command, expected) => {
    expect(encodeCommand(command)).toEqual(hex(expected));
  });

  it('asserts a key', () => {
    expect(() => encodeCommand(del(''))).toThrow('a key is not empty');
  });

  it.each([1, 127, 128, 16383, 16384, 2 ** 21 - 1, 2 ** 21])('keeps a key of %i bytes', (length) => {
    const key = Buffer.alloc(length, 'k');
    const back = decodeCommand(encodeCommand({ kind: 'put', key, value: bytes('v'), form: 'text' }));
    expect(Buffer.compare(back.key, key)).toBe(0);
    expect({ ...back, key: '' }).toEqual({ kind: 'put', key: '', value: bytes('v'), form: 'text' });
  });
});

describe('decodeCommand', () => {
  it('gives views on the payload, not copies', () => {
    const payload = encodeCommand(put('key', 'value'));
    const command = decodeCommand(payload);
    expect(command.kind === 'put' && command.value.buffer === payload.buffer).toBe(true);
    expect(command.key.buffer).toBe(payload.buffer);
  });

  it.each([
    ['nothing', '', 'it is empty'],
    ['a newer format', '02 01 01 01 6b', 'its format is version 2'],
    ['a version without a kind', '01', 'it ends before its kind'],
    ['an unknown kind', '01 03 6b', 'it is of kind 3'],
    ['kind 0', '01 00 6b', 'it is of kind 0'],
    ['a put without a form', '01 01', "it ends before its value's form"],
    ['an unknown form', '01 01 03 01 6b', 'its value is of form 3'],
    ['a put without a key length', '01 01 01', "it ends within its key's length"],
    ['half a key length', '01 01 01 80', "it ends within its key's length"],
    ['a key length in a longer form', '01 01 01 81 00 6b', 'not in the shortest form'],
    ['an endless key length', '01 01 01 ffffffffff', 'longer than any key'],
    ['a put of the empty key', '01 01 01 00 76', 'its key is empty'],
    ['a key that is cut off', '01 01 01 03 6b6b', 'its key should end at byte 7 and there are 6'],
    ['a delete of the empty key', '01 02', 'its key is empty'],
  ])('refuses %s', (_, payload, message) => {
    expectError(() => decodeCommand(hex(payload)), 'damaged', message);
  });
});
