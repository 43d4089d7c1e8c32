/** Puts, deletes, ranges and transactions as bytes, however deep they are nested. */
import { assert, unreachable } from '../base/assert';
import type { ByteReader, Refuse } from './byte-reader';
import type { ByteWriter } from './byte-writer';
import {
  noLease,
  type CompareTarget,
  type Comparison,
  type DeleteOperation,
  type KeyRange,
  type Operation,
  type PutOperation,
  type RangeOperation,
  type TxnOperation,
} from './command';
import { isSingleKey, rangeOfKey } from './key-range';

export const operationKinds = { put: 1, delete: 2, range: 3, txn: 4 } as const;

/** How deep transactions may nest: more than the service allows, and far less than the stack does. */
const maxTxnDepth = 256;

const putFlags = { text: 1, keepValue: 2, keepLease: 4, returnPrevious: 8, lease: 16, grantTtl: 32 } as const;
const allPutFlags = 63;

/** The end of a range: that of a single key is not written. */
const rangeShapes = { singleKey: 0, toLastKey: 1, toEnd: 2 } as const;

const sortTargets: readonly RangeOperation['sortTarget'][] = ['key', 'version', 'create', 'mod', 'value'];
const sortOrders: readonly RangeOperation['sortOrder'][] = ['none', 'ascend', 'descend'];
const operators: readonly Comparison['operator'][] = ['equal', 'greater', 'less', 'not-equal'];
const targets: readonly CompareTarget['kind'][] = ['version', 'create', 'mod', 'value', 'lease'];

/** Stands for -1 where a revision is written: programs that do not know it take it for one in the future, and refuse as well. */
const belowAllRevisions = Number.MAX_SAFE_INTEGER;

/** No operation and no comparison is shorter. */
const minElementBytes = 3;

export function writeOperation(writer: ByteWriter, operation: Operation, depth = 0): void {
  switch (operation.kind) {
    case 'put':
      writePut(writer, operation);
      return;
    case 'delete':
      writer.byte(operationKinds.delete);
      writeRange(writer, operation.range);
      writer.bool(operation.returnPrevious);
      return;
    case 'range':
      writeRangeOperation(writer, operation);
      return;
    case 'txn':
      writeTxn(writer, operation, depth);
      return;
    default:
      unreachable(operation);
  }
}

/** Reads what follows the kind. */
export function readOperation(reader: ByteReader, refuse: Refuse, kind: number, depth = 0): Operation {
  switch (kind) {
    case operationKinds.put:
      return readPut(reader, refuse);
    case operationKinds.delete:
      return readDelete(reader, refuse);
    case operationKinds.range:
      return readRangeOperation(reader, refuse);
    case operationKinds.txn:
      return readTxn(reader, refuse, depth);
    default:
      throw refuse(`an operation in it is of kind ${String(kind)}, which this program does not know`);
  }
}

function writePut(writer: ByteWriter, put: PutOperation): void {
  assert(put.key.length > 0, 'a key is not empty');
  assert(put.grantTtl === 0 || put.lease !== noLease, 'a lease that is granted has an id');
  writer.byte(operationKinds.put);
  writer.byte(
    (put.form === 'text' ? putFlags.text : 0) |
      (put.keepValue ? putFlags.keepValue : 0) |
      (put.keepLease ? putFlags.keepLease : 0) |
      (put.returnPrevious ? putFlags.returnPrevious : 0) |
      (put.lease === noLease ? 0 : putFlags.lease) |
      (put.grantTtl === 0 ? 0 : putFlags.grantTtl),
  );
  writer.bytes(put.key);
  writer.bytes(put.value);
  if (put.lease !== noLease) writer.int64(put.lease);
  if (put.grantTtl !== 0) writer.varint(put.grantTtl);
}

function readPut(reader: ByteReader, refuse: Refuse): PutOperation {
  const flags = reader.byte('flags');
  if (flags > allPutFlags) throw refuse(`its flags are ${String(flags)}, some of which this program does not know`);
  const key = reader.bytes('key');
  if (key.length === 0) throw refuse('its key is empty');
  const value = reader.bytes('value');
  const hasLease = (flags & putFlags.lease) !== 0;
  const hasGrant = (flags & putFlags.grantTtl) !== 0;
  const lease = hasLease ? reader.int64('lease') : noLease;
  const grantTtl = hasGrant ? reader.varint('time to live') : 0;
  if (lease === noLease && (hasLease || hasGrant)) throw refuse('its lease has no id');
  if (hasGrant && grantTtl === 0) throw refuse('its lease has no time to live');
  return {
    kind: 'put',
    key,
    value,
    form: (flags & putFlags.text) === 0 ? 'bytes' : 'text',
    lease,
    grantTtl,
    keepValue: (flags & putFlags.keepValue) !== 0,
    keepLease: (flags & putFlags.keepLease) !== 0,
    returnPrevious: (flags & putFlags.returnPrevious) !== 0,
  };
}

function readDelete(reader: ByteReader, refuse: Refuse): DeleteOperation {
  return { kind: 'delete', range: readRange(reader, refuse), returnPrevious: reader.bool('wish for the previous') };
}

function writeRange(writer: ByteWriter, range: KeyRange): void {
  const { start, end } = range;
  const isSingle = isSingleKey(range);
  writer.byte(isSingle ? rangeShapes.singleKey : end === undefined ? rangeShapes.toLastKey : rangeShapes.toEnd);
  writer.bytes(start);
  if (!isSingle && end !== undefined) writer.bytes(end);
}

function readRange(reader: ByteReader, refuse: Refuse): KeyRange {
  const shape = reader.byte('range');
  const start = reader.bytes('first key');
  switch (shape) {
    case rangeShapes.singleKey:
      return rangeOfKey(start);
    case rangeShapes.toLastKey:
      return { start, end: undefined };
    case rangeShapes.toEnd: {
      const range = { start, end: reader.bytes('end of keys') };
      if (isSingleKey(range)) throw refuse('its range of one key is not in the shortest form');
      return range;
    }
    default:
      throw refuse(`its range is of shape ${String(shape)}, which this program does not know`);
  }
}

function writeRangeOperation(writer: ByteWriter, range: RangeOperation): void {
  writer.byte(operationKinds.range);
  writeRange(writer, range.range);
  writer.varint(range.revision === -1 ? belowAllRevisions : range.revision);
  writer.varint(range.limit);
  writer.byte(sortTargets.indexOf(range.sortTarget));
  writer.byte(sortOrders.indexOf(range.sortOrder));
  writer.bool(range.keysOnly);
  writer.bool(range.countOnly);
  writeBound(writer, range.minModRevision);
  writeBound(writer, range.maxModRevision);
  writeBound(writer, range.minCreateRevision);
  writeBound(writer, range.maxCreateRevision);
}

function readRangeOperation(reader: ByteReader, refuse: Refuse): RangeOperation {
  return {
    kind: 'range',
    range: readRange(reader, refuse),
    revision: readRevision(reader),
    limit: reader.varint('limit'),
    sortTarget: readName(reader, refuse, sortTargets, 'sort target'),
    sortOrder: readName(reader, refuse, sortOrders, 'sort order'),
    keysOnly: reader.bool('wish for keys'),
    countOnly: reader.bool('wish for a count'),
    minModRevision: readBound(reader),
    maxModRevision: readBound(reader),
    minCreateRevision: readBound(reader),
    maxCreateRevision: readBound(reader),
  };
}

function readRevision(reader: ByteReader): number {
  const revision = reader.varint('revision');
  return revision === belowAllRevisions ? -1 : revision;
}

/** A bound is a revision, or -1. */
function writeBound(writer: ByteWriter, bound: number): void {
  writer.varint(bound + 1);
}

function readBound(reader: ByteReader): number {
  return reader.varint('bound') - 1;
}

function writeTxn(writer: ByteWriter, txn: TxnOperation, depth: number): void {
  assert(depth < maxTxnDepth, 'transactions nest no deeper than can be read');
  writer.byte(operationKinds.txn);
  writer.varint(txn.compares.length);
  for (const compare of txn.compares) writeComparison(writer, compare);
  for (const list of [txn.success, txn.failure]) {
    writer.varint(list.length);
    for (const operation of list) writeOperation(writer, operation, depth + 1);
  }
}

function readTxn(reader: ByteReader, refuse: Refuse, depth: number): TxnOperation {
  if (depth >= maxTxnDepth) throw refuse(`its transactions nest deeper than ${String(maxTxnDepth)}`);
  const compares: Comparison[] = [];
  for (let left = reader.count('comparisons', minElementBytes); left > 0; left--) {
    compares.push(readComparison(reader, refuse));
  }
  const list = (): Operation[] => {
    const operations: Operation[] = [];
    for (let left = reader.count('operations', minElementBytes); left > 0; left--) {
      operations.push(readOperation(reader, refuse, reader.byte('kind of operation'), depth + 1));
    }
    return operations;
  };
  return { kind: 'txn', compares, success: list(), failure: list() };
}

function writeComparison(writer: ByteWriter, { range, operator, target }: Comparison): void {
  writeRange(writer, range);
  writer.byte(operators.indexOf(operator));
  writer.byte(targets.indexOf(target.kind));
  switch (target.kind) {
    case 'value':
      writer.bytes(target.value);
      return;
    case 'lease':
      writer.int64(target.lease);
      return;
    case 'version':
    case 'create':
    case 'mod':
      // A client may compare with a negative number, which is less than all that are there.
      writer.int64(BigInt(target.number));
  }
}

function readComparison(reader: ByteReader, refuse: Refuse): Comparison {
  const range = readRange(reader, refuse);
  const operator = readName(reader, refuse, operators, 'operator');
  const kind = readName(reader, refuse, targets, 'target');
  switch (kind) {
    case 'value':
      return { range, operator, target: { kind, value: reader.bytes('value') } };
    case 'lease':
      return { range, operator, target: { kind, lease: reader.int64('lease') } };
    case 'version':
    case 'create':
    case 'mod': {
      const number = Number(reader.int64('number'));
      if (!Number.isSafeInteger(number)) throw refuse('a number to compare with is no safe integer');
      return { range, operator, target: { kind, number } };
    }
  }
}

function readName<Name>(reader: ByteReader, refuse: Refuse, names: readonly Name[], what: string): Name {
  const at = reader.byte(what);
  const name = names[at];
  if (name === undefined) throw refuse(`its ${what} is ${String(at)}, which this program does not know`);
  return name;
}
