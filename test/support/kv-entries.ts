/** Builders for entries of the key-value state machine. */
import type { ErrorCode } from '../../src/base/error';
import type { Command } from '../../src/kv/command';
import { deleteOperation, putOperation, unnamed } from '../../src/kv/command-builders';
import { encodeCommand } from '../../src/kv/command-codec';
import type { RangeQuery } from '../../src/kv/result';
import type { Entry } from '../../src/raft';

export const bytes = (text: string): Buffer => Buffer.from(text);

export const put = (key: string, value: string): Command =>
  unnamed(putOperation({ key: bytes(key), value: bytes(value), form: 'text' }));

/** A put that attaches the key to a lease. */
export const attached = (key: string, lease: bigint): Command =>
  unnamed(putOperation({ key: bytes(key), value: bytes('v'), form: 'text', lease }));

export const del = (key: string): Command => unnamed(deleteOperation(bytes(key)));

export const noOp = 'no-op';

/** Entries of term 1 with the given commands, from `firstIndex` on. */
export function entries(firstIndex: number, commands: readonly (Command | typeof noOp)[]): Entry[] {
  return commands.map((command, offset) => {
    const position = { index: firstIndex + offset, term: 1 };
    if (command === noOp) return { ...position, kind: 'no-op', payload: Buffer.alloc(0) };
    return { ...position, kind: 'command', payload: encodeCommand(command) };
  });
}

/** Every key, unless told otherwise. */
export function query(more: Partial<RangeQuery> = {}): RangeQuery {
  return { start: bytes(''), end: undefined, revision: 0, limit: 1000, maxBytes: 2 ** 30, keysOnly: false, ...more };
}

/** Expects `act`, done once, to throw a QuorateError with this code and a message that holds `message`. */
export function expectError(act: () => unknown, code: ErrorCode, message: string): void {
  let thrown: unknown;
  try {
    act();
  } catch (error) {
    thrown = error;
  }
  expect(thrown).toMatchObject({ name: 'QuorateError', code });
  expect(String(thrown)).toContain(message);
}
