/** The mutations of a `Write` stream: each is checked and done as the call of its name, and never ends the stream. */
import { encodeCommand } from '../../../kv/command-codec';
import type { Command, Operation, PlainCommand } from '../../../kv/command';
import type { Result } from '../../../kv/result';
import type { Clock } from '../../../base/clock';
import type { Mutation as MutationMessage, MutationResult } from '../../../gen/quorate/v1/kv';
import type { Proposer } from '../../../node/call';
import { rpcStatusOf } from '../../errors';
import { accepted, type AcceptedResult } from '../../refusals';
import type { UnaryCalls } from '../../unary-calls';
import { invalid } from '../../validate';
import type { Mutation, RequestBounds } from '../mutation';
import { deleteMutation } from './delete';
import { deleteRangeMutation } from './delete-range';
import { putMutation } from './put';
import { txnMutation } from './txn';
import type { BegunMutation } from './write-session';

/** What mutations of a stream need of a member. */
export interface WriteNeeds extends RequestBounds {
  readonly proposer: Pick<Proposer<Result>, 'propose'>;
  readonly scheduler: Clock;
}

/** Begins a mutation in the order of the calls. */
export function beginMutation(
  needs: WriteNeeds,
  calls: Pick<UnaryCalls, 'statusOf'>,
  message: MutationMessage,
): BegunMutation {
  const { id } = message;
  const failed = (error: unknown): MutationResult => ({
    id,
    result: { $case: 'error', value: rpcStatusOf(calls.statusOf(error)) },
  });
  try {
    const { command, tell } = namedMutation(message, needs);
    const payload = encodeCommand(command);
    const deadline = needs.scheduler.now() + needs.limits.requestTimeoutMs;
    const result = needs.proposer.propose(payload, { deadline }).then((it) => ({ id, result: tell(accepted(it)) }));
    return { bytes: payload.length + returnedBytes(command.command, needs), result: result.catch(failed) };
  } catch (error) {
    return { bytes: 0, result: Promise.resolve(failed(error)) };
  }
}

/** A mutation whose answer has the name of its call. */
interface NamedMutation {
  readonly command: Command;
  readonly tell: (result: AcceptedResult) => MutationResult['result'];
}

/** The dispatcher: the field that is set decides. */
function namedMutation({ mutation }: MutationMessage, bounds: RequestBounds): NamedMutation {
  switch (mutation?.$case) {
    case undefined:
      throw invalid('mutation', 'is missing', { limit: 'put, delete, delete_range or txn', actual: 'none' });
    case 'put':
      return named(putMutation(mutation.value, bounds), (value) => ({ $case: 'put', value }));
    case 'delete':
      return named(deleteMutation(mutation.value, bounds), (value) => ({ $case: 'delete', value }));
    case 'deleteRange':
      return named(deleteRangeMutation(mutation.value, bounds), (value) => ({ $case: 'deleteRange', value }));
    case 'txn':
      return named(txnMutation(mutation.value, bounds), (value) => ({ $case: 'txn', value }));
  }
}

function named<Response>(
  { command, answer }: Mutation<Response>,
  name: (response: Response) => MutationResult['result'],
): NamedMutation {
  return { command, tell: (result) => name(answer(result)) };
}

/** What an answer may hold beside the fixed fields: charged before it is known, so that a slow reader costs no memory. */
function returnedBytes(command: PlainCommand, { limits }: RequestBounds): number {
  return returnsValues(command) ? limits.maxValueBytes : 0;
}

function returnsValues(command: PlainCommand | Operation): boolean {
  if (command.kind === 'put' || command.kind === 'delete') return command.returnPrevious;
  if (command.kind === 'range') return !command.keysOnly;
  return command.kind === 'txn' && [...command.success, ...command.failure].some(returnsValues);
}
