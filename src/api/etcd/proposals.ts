/** The way of every command of the etcd API into the log, and of its result back. */
import { encodeCommand } from '../../kv/command-codec';
import type { PlainCommand } from '../../kv/command';
import type { RefusedResult, Result } from '../../kv/result';
import type { CallContext, Proposer } from '../../node/call';
import { EtcdError, errorOfRefusal } from './errors';
import { etcdLimits } from './limits';

/** The result of a command that was done. */
export type Done = Exclude<Result, RefusedResult>;

/**
 * Replicates a command, on any member, and gives its result once it is applied on this one.
 *
 * @throws EtcdError `request-too-large` and what apply refuses; QuorateError as `Proposer.propose`
 */
export async function propose(proposer: Proposer<Result>, command: PlainCommand, call: CallContext): Promise<Done> {
  const bytes = encodeCommand({ requestId: undefined, command });
  if (bytes.length > etcdLimits.maxCommandBytes) throw new EtcdError('request-too-large');
  const result = await proposer.propose(bytes, call);
  if (result.kind === 'refused') throw errorOfRefusal(result);
  return result;
}
