/** A mutation from the checked request to the answer: the same way for calls of their own and for those of a stream. */
import { encodeCommand } from '../../kv/command-codec';
import type { Command } from '../../kv/command';
import type { Result } from '../../kv/result';
import type { CallContext, Proposer } from '../../node/call';
import type { ApiLimits } from '../limits';
import { accepted, type AcceptedResult, type WallClock } from '../refusals';

/** What a request is checked against. */
export interface RequestBounds {
  readonly limits: ApiLimits;
  readonly wallClock: WallClock;
}

/** A request that was found to be right. */
export interface Mutation<Response> {
  readonly command: Command;
  /** The answer for what the command gave. @throws QuorateError `precondition-failed` */
  readonly answer: (result: AcceptedResult) => Response;
}

/**
 * Has a mutation done.
 *
 * @throws QuorateError as `Proposer.propose`, `accepted` and `Mutation.answer`
 */
export async function mutate<Response>(
  { proposer, wallClock }: Pick<RequestBounds, 'wallClock'> & { readonly proposer: Pick<Proposer<Result>, 'propose'> },
  { command, answer }: Mutation<Response>,
  call: CallContext,
): Promise<Response> {
  return answer(accepted(await proposer.propose(encodeCommand(command), call), wallClock));
}

/** Whether the answer is that of an earlier call with the same request id. */
export function isReplayed(result: AcceptedResult): boolean {
  return result.replayed === true;
}
