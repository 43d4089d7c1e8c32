/** Does a call on a member: encode and propose, or wait for the barrier and read. */
import { grantedTtl } from '../../api/lease-renewals';
import { QuorateError } from '../../base/error';
import { encodeCommand } from '../../kv/command-codec';
import type { CallContext } from '../../node/call';
import { latin1 } from '../model/result-text';
import type {
  Answer,
  Get,
  LeaseAnswer,
  List,
  LookAtLease,
  Mutation,
  Operation,
  ReadAnswer,
  ReadOperation,
  Select,
  Serving,
} from './call';

/** More than a list ever finds. */
const manyKeys = 1_000;
const manyBytes = 1_000_000;

export function serve(operation: Operation, serving: Serving, context: CallContext): Promise<Answer> {
  switch (operation.kind) {
    case 'mutation':
      return mutate(operation, serving, context);
    case 'renew':
      return serving.renewals.renew(operation.lease, context).then((renewal) => ({ kind: 'renewal', ...renewal }));
    case 'get':
    case 'list':
    case 'select':
    case 'lease':
      if (operation.isStale) return Promise.resolve(look(operation, serving));
      return serving.node.readBarrier(context).then(() => look(operation, serving));
  }
}

async function mutate(operation: Mutation, { node, clock }: Serving, context: CallContext): Promise<Answer> {
  const begunAt = clock.now();
  const result = await node.propose(encodeCommand(operation), context);
  const isNew = operation.command.kind === 'lease-grant' && result.kind === 'lease' && result.replayed !== true;
  return isNew ? { ...result, promised: grantedTtl(result, clock.now() - begunAt) } : result;
}

function look(operation: ReadOperation, serving: Pick<Serving, 'machine' | 'lessor'>): ReadAnswer | LeaseAnswer {
  return operation.kind === 'lease' ? lookAtLease(operation, serving) : read(operation, serving);
}

/** Reads what a state machine holds now. */
export function read(operation: Get | List | Select, { machine }: Pick<Serving, 'machine'>): ReadAnswer {
  const { appliedIndex, revision } = machine;
  const answer = { kind: 'read', appliedIndex, revision, counts: undefined, refusal: undefined } as const;
  try {
    return { ...answer, ...find(operation, machine) };
  } catch (error) {
    if (!(error instanceof QuorateError)) throw error;
    if (error.code !== 'compacted' && error.code !== 'future-revision') throw error;
    return { ...answer, found: [], refusal: error.code };
  }
}

function find(operation: Get | List | Select, machine: Serving['machine']): Pick<ReadAnswer, 'found' | 'counts'> {
  switch (operation.kind) {
    case 'get': {
      const record = machine.get(Buffer.from(operation.key), operation.revision);
      return { found: record === undefined ? [] : [record], counts: undefined };
    }
    case 'list': {
      const range = { start: Buffer.from(operation.start), end: Buffer.from(operation.end) };
      const bounds = { revision: operation.revision, limit: manyKeys, maxBytes: manyBytes, keysOnly: false };
      return { found: machine.range({ ...range, ...bounds }).records, counts: undefined };
    }
    case 'select': {
      const { records, count, more } = machine.select(operation.query);
      return { found: records, counts: { count, more } };
    }
  }
}

function lookAtLease({ lease }: LookAtLease, { machine, lessor }: Pick<Serving, 'machine' | 'lessor'>): LeaseAnswer {
  const { appliedIndex, revision } = machine;
  const keys = machine.leaseKeys(lease).map(latin1);
  const remainingMs = lessor.remainingMs(lease);
  return { kind: 'lease info', appliedIndex, revision, info: machine.lease(lease), keys, remainingMs };
}
