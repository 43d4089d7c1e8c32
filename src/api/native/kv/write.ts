/** The mutations of a `Write` stream: each is checked and done as the call of its name, and never ends the stream. */
import { required } from '../../../base/assert';
import { BatchEncoder } from '../../../kv/command-codec';
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
import { type BegunMutations, writeBounds } from './write-session';

/** What mutations of a stream need of a member. */
export interface WriteNeeds extends RequestBounds {
  readonly proposer: Pick<Proposer<Result>, 'propose'>;
  readonly scheduler: Clock;
}

/**
 * Begins mutations in their order. Those of a batch travel as one entry of the log, and each is done as if it had come alone:
 * an entry, a promise and a round through the core for each cost several times as much as the mutation itself.
 */
export function* beginMutations(
  needs: WriteNeeds,
  calls: Pick<UnaryCalls, 'statusOf'>,
  mutations: readonly MutationMessage[],
): Generator<BegunMutations, void, undefined> {
  let batch = new MutationBatch(needs, calls);
  for (const mutation of mutations) {
    batch.add(mutation);
    if (batch.bytes < writeBounds.maxBatchBytes) continue;
    yield batch.begin();
    batch = new MutationBatch(needs, calls);
  }
  if (batch.count > 0) yield batch.begin();
}

class MutationBatch {
  readonly #needs: WriteNeeds;
  readonly #calls: Pick<UnaryCalls, 'statusOf'>;
  readonly #commands = new BatchEncoder();
  readonly #mutations: (ProposedMutation | RefusedMutation)[] = [];
  bytes = 0;

  constructor(needs: WriteNeeds, calls: Pick<UnaryCalls, 'statusOf'>) {
    this.#needs = needs;
    this.#calls = calls;
  }

  get count(): number {
    return this.#mutations.length;
  }

  add(message: MutationMessage): void {
    const checked = this.#checked(message);
    if (checked.tell === undefined) {
      this.#mutations.push(checked);
      return;
    }
    const { id, tell, command } = checked;
    // Without the command: nothing of it is needed any more once it is encoded.
    this.#mutations.push({ id, tell });
    this.bytes += this.#commands.add(command) + returnedBytes(command.command, this.#needs);
  }

  begin(): BegunMutations {
    const { count, bytes } = this;
    if (this.#commands.count === 0) return { count, bytes, results: Promise.resolve(this.#answers([])) };
    const { proposer, scheduler, limits } = this.#needs;
    const proposed = proposer.propose(this.#commands.finish(), { deadline: scheduler.now() + limits.requestTimeoutMs });
    const results = proposed.then(
      (result) => this.#answers(result.kind === 'batch' ? result.results : [result]),
      (error: unknown) => this.#mutations.map((it) => (it.tell === undefined ? it : this.#failed(it.id, error))),
    );
    return { count, bytes, results };
  }

  #checked(message: MutationMessage): ({ readonly id: number } & NamedMutation) | RefusedMutation {
    const { id } = message;
    try {
      const { command, tell } = namedMutation(message, this.#needs);
      return { id, command, tell };
    } catch (error) {
      return this.#failed(id, error);
    }
  }

  /** @param results one for each mutation that was proposed */
  #answers(results: readonly Result[]): MutationResult[] {
    let next = 0;
    return this.#mutations.map((mutation) => {
      if (mutation.tell === undefined) return mutation;
      const result = required(results[next++], 'every command has a result');
      try {
        return { id: mutation.id, result: mutation.tell(accepted(result, this.#needs.wallClock)) };
      } catch (error) {
        return this.#failed(mutation.id, error);
      }
    });
  }

  #failed(id: number, error: unknown): RefusedMutation {
    return { id, result: { $case: 'error', value: rpcStatusOf(this.#calls.statusOf(error)) } };
  }
}

type ProposedMutation = { readonly id: number } & Pick<NamedMutation, 'tell'>;

/** Its answer already. */
interface RefusedMutation extends MutationResult {
  readonly tell?: undefined;
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
