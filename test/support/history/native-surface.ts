/** The native API: single calls, or the write stream for what changes something. */
import { op, type KeyValue, type QuorateClient, type Transaction, type WriteStream } from '../../../src/client';
import type { Condition, Operation as ClientOperation, OperationAnswer } from '../../../src/client';
import { required } from '../../../src/base/assert';
import type { Comparison, Operation, TxnOperation } from '../../../src/kv/command';
import { isSingleKey } from '../../../src/kv/key-range';
import type { KeyRecord, OperationResult } from '../../../src/kv/result';
import type { Mutation } from '../../../src/sim/workload/call';
import { rangeResult, readAnswer, type Surface, type Told } from './surface';
import type { Drawn } from './workload';

const text = (bytes: Uint8Array | undefined): string => Buffer.from(bytes ?? '').toString();

type Writer = Pick<QuorateClient | WriteStream, 'put' | 'delete' | 'deleteRange' | 'commit'>;

export function nativeSurface(client: QuorateClient, members: string, isNamed: boolean): Surface {
  const naming = isNamed ? {} : ({ requestId: false } as const);
  return { api: 'native', members, make: (drawn) => make(client, client, drawn, naming) };
}

export function streamSurface(client: QuorateClient, stream: WriteStream, members: string): Surface {
  return { api: 'stream', members, make: (drawn) => make(client, stream, drawn, {}) };
}

interface Naming {
  readonly requestId?: false;
}

async function make(client: QuorateClient, writer: Writer, drawn: Drawn, naming: Naming): Promise<Told> {
  const { operation } = drawn;
  switch (operation.kind) {
    case 'mutation':
      return change(client, writer, { ...drawn, operation }, naming);
    case 'get': {
      const { key, revision, isStale } = operation;
      const stale = isStale ? ({ consistency: 'stale', minRevision: drawn.minRevision ?? 0 } as const) : {};
      const answer = await client.get(key, { ...stale, ...(revision === 0 ? {} : { revision }) });
      return readAnswer(answer.revision, answer.kv === undefined ? [] : [toRecord(answer.kv)]);
    }
    case 'list': {
      const { start, end } = operation;
      const page = await client.listPage({ selection: { kind: 'range', start, end } });
      return readAnswer(page.revision, page.kvs.map(toRecord));
    }
    case 'renew': {
      const [renewed] = await client.leases.renew([operation.lease]);
      return { answer: undefined, lease: { id: operation.lease, ttlMs: renewed?.ttlMs } };
    }
    case 'select':
    case 'lease':
      throw new Error(`${operation.kind} is not made through the native API`);
  }
}

async function change(
  client: QuorateClient,
  writer: Writer,
  { operation: { command }, condition }: Drawn & { readonly operation: Mutation },
  naming: Naming,
): Promise<Told> {
  switch (command.kind) {
    case 'put':
      return plainPut(writer, command, naming);
    case 'delete': {
      const { start, end } = command.range;
      const { revision, deleted } = isSingleKey(command.range)
        ? await writer.delete(text(start), naming)
        : await writer.deleteRange({ kind: 'range', start: text(start), end: text(end) }, naming);
      return { answer: { kind: 'delete', revision, deleted: Number(deleted), previous: [] } };
    }
    case 'txn': {
      if (condition !== undefined) return conditional(writer, command, condition, naming);
      const { revision, succeeded, results } = await writer.commit(toTransaction(command), naming);
      return { answer: { kind: 'txn', revision, succeeded, results: results.map(toResult) } };
    }
    case 'lease-grant': {
      const lease = await client.leases.grant(command.ttl * 1000, { leaseId: command.id, ...naming });
      return { answer: undefined, lease: { id: lease.leaseId, ttlMs: lease.ttlMs } };
    }
    case 'lease-revoke': {
      const { revision } = await client.leases.revoke(command.id, naming);
      return { answer: { kind: 'lease', revision, leases: [{ id: command.id, ttl: 0 }] } };
    }
    case 'compact':
      return {
        answer: { kind: 'done', changed: true, ...(await client.maintenance.compact(command.revision, naming)) },
      };
    case 'lease-renew':
    case 'lease-expire':
    case 'advance-clock':
    case 'alarm':
    case 'configure':
      throw new Error(`${command.kind} is not a call of this workload`);
  }
}

async function plainPut(
  writer: Writer,
  { key, value, lease, grantTtl }: Extract<Operation, { readonly kind: 'put' }>,
  naming: Naming,
): Promise<Told> {
  const expiry = grantTtl > 0 ? { ttlMs: grantTtl * 1000 } : lease === 0n ? {} : { leaseId: lease };
  const answer = await writer.put(text(key), text(value), { ...expiry, ...naming });
  const { revision, createRevision, version, leaseId } = answer;
  const granted = leaseId === undefined ? undefined : { id: leaseId, ttlMs: grantTtl * 1000 };
  return { answer: { kind: 'put', revision, createRevision, version, previous: undefined }, lease: granted };
}

/** A put or a delete on a condition: in the log it is a transaction. */
async function conditional(
  writer: Writer,
  { success: [step] }: TxnOperation,
  { modRevision }: NonNullable<Drawn['condition']>,
  naming: Naming,
): Promise<Told> {
  if (step?.kind === 'delete') {
    const answer = await writer.delete(text(step.range.start), { ifRevision: modRevision, ...naming });
    const deleted = {
      kind: 'delete',
      revision: answer.revision,
      deleted: Number(answer.deleted),
      previous: [],
    } as const;
    return { answer: { kind: 'txn', revision: answer.revision, succeeded: true, results: [deleted] } };
  }
  if (step?.kind !== 'put') throw new Error('only puts and deletes have conditions');
  const options = modRevision === 0 ? { ifAbsent: true } : { ifRevision: modRevision };
  const answer = await writer.put(text(step.key), text(step.value), { ...options, ...naming });
  const { revision, createRevision, version } = answer;
  const put = { kind: 'put', revision, createRevision, version, previous: undefined } as const;
  return { answer: { kind: 'txn', revision, succeeded: true, results: [put] } };
}

export function toRecord({ key, value, createRevision, modRevision, version, leaseId }: KeyValue): KeyRecord {
  const bytes = typeof value === 'string' ? Buffer.from(value) : Buffer.from(value ?? '');
  return {
    key: Buffer.from(key),
    value: bytes,
    form: 'text',
    createRevision,
    modRevision,
    version,
    lease: leaseId ?? 0n,
  };
}

const operators = { equal: '=', 'not-equal': '!=', greater: '>', less: '<' } as const;

function toTransaction({ compares, success, failure }: TxnOperation): Transaction {
  return {
    conditions: compares.map(toCondition),
    success: success.map(toOperation),
    failure: failure.map(toOperation),
  };
}

function toCondition({ range, operator, target }: Comparison): Condition {
  const keys = isSingleKey(range)
    ? text(range.start)
    : ({ kind: 'range', start: text(range.start), end: text(range.end) } as const);
  return { keys, operator: operators[operator], target: toTarget(target) };
}

function toTarget(target: Comparison['target']): Condition['target'] {
  switch (target.kind) {
    case 'version':
      return { kind: 'version', number: target.number };
    case 'create':
      return { kind: 'create-revision', number: target.number };
    case 'mod':
      return { kind: 'mod-revision', number: target.number };
    case 'value':
      return { kind: 'value', value: text(target.value) };
    case 'lease':
      return { kind: 'lease', leaseId: target.lease };
  }
}

function toOperation(operation: Operation): ClientOperation {
  switch (operation.kind) {
    case 'put':
      return op.put(text(operation.key), text(operation.value), { returnPrevious: operation.returnPrevious });
    case 'delete': {
      const { start, end } = operation.range;
      if (isSingleKey(operation.range)) return op.delete(text(start), { returnPrevious: operation.returnPrevious });
      return op.deleteRange({ kind: 'range', start: text(start), end: text(end) });
    }
    case 'range': {
      const { start, end } = operation.range;
      if (isSingleKey(operation.range)) return op.get(text(start));
      return op.list({ kind: 'range', start: text(start), end: text(end) });
    }
    case 'txn':
      return { kind: 'txn', ...toTransaction(operation) };
  }
}

function toResult(answer: OperationAnswer): OperationResult {
  switch (answer.kind) {
    case 'put': {
      const { createRevision, version, previous } = answer;
      return { kind: 'put', revision: 0, createRevision, version, previous: previous && toRecord(previous) };
    }
    case 'get':
      return rangeResult(answer.kv === undefined ? [] : [toRecord(answer.kv)], answer.kv === undefined ? 0 : 1, false);
    case 'list':
      return rangeResult(answer.kvs.map(toRecord), required(answer.count, 'a list counts'), answer.more);
    case 'delete':
      return {
        ...{ kind: 'delete', revision: 0, deleted: Number(answer.deleted) },
        previous: answer.previous === undefined ? [] : [toRecord(answer.previous)],
      };
    case 'delete-range':
      return { kind: 'delete', revision: 0, deleted: answer.deleted, previous: [] };
    case 'txn':
      return { kind: 'txn', revision: 0, succeeded: answer.succeeded, results: answer.results.map(toResult) };
  }
}
