/** Does a call on a member: encode and propose, or wait for the barrier and read. */
import type { CallContext } from '../../node/call';
import { deleteOperation, putOperation, unnamed } from '../../kv/command-builders';
import { encodeCommand } from '../../kv/command-codec';
import type { Command } from '../../kv/command';
import type { KeyRecord } from '../../kv/result';
import type { Answer, FoundKey, Operation, ReadAnswer, Serving } from './call';

/** More than a list ever finds. */
const manyKeys = 1_000;
const manyBytes = 1_000_000;

export function serve(operation: Operation, serving: Serving, context: CallContext): Promise<Answer> {
  switch (operation.kind) {
    case 'put':
    case 'delete':
      return serving.node.propose(encodeCommand(commandOf(operation)), context);
    case 'get':
    case 'list':
      if (operation.stale) return Promise.resolve(read(operation, serving));
      return serving.node.readBarrier(context).then(() => read(operation, serving));
  }
}

function commandOf(operation: Extract<Operation, { kind: 'put' | 'delete' }>): Command {
  const key = Buffer.from(operation.key);
  if (operation.kind === 'delete') return unnamed(deleteOperation(key));
  return unnamed(putOperation({ key, value: Buffer.from(operation.value), form: 'text' }));
}

/** Reads what a state machine holds now. */
export function read(
  operation: Extract<Operation, { kind: 'get' | 'list' }>,
  { machine }: Pick<Serving, 'machine'>,
): ReadAnswer {
  const { appliedIndex, revision } = machine;
  return { kind: 'read', appliedIndex, revision, found: find(operation, machine).map(foundKey) };
}

function find(
  operation: Extract<Operation, { kind: 'get' | 'list' }>,
  machine: Serving['machine'],
): readonly KeyRecord[] {
  if (operation.kind === 'get') {
    const record = machine.get(Buffer.from(operation.key));
    return record === undefined ? [] : [record];
  }
  const range = { start: Buffer.from(operation.start), end: Buffer.from(operation.end) };
  return machine.range({ ...range, revision: 0, limit: manyKeys, maxBytes: manyBytes, keysOnly: false }).records;
}

function foundKey({ key, value, createRevision, modRevision, version }: KeyRecord): FoundKey {
  const text = { key: Buffer.from(key).toString(), value: Buffer.from(value).toString() };
  return { ...text, createRevision, modRevision, version };
}
