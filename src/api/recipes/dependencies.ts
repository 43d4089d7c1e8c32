/** What locks and elections need of a member, and their bounds. */
import type { Scheduler } from '../../base/clock';
import type { Logger } from '../../base/logger';
import { encodeCommand } from '../../kv/command-codec';
import type { Command } from '../../kv/command';
import type { KvReader, Result } from '../../kv/result';
import type { Watches } from '../../kv/watch';
import type { CallContext, Proposer } from '../../node/call';
import type { LeaseRenewals } from '../lease-renewals';
import { accepted, type AcceptedResult, type WallClock } from '../refusals';

/** What the recipes need of a member. */
export interface RecipeDependencies {
  readonly proposer: Proposer<Result>;
  readonly reader: Pick<KvReader, 'revision' | 'get' | 'select'>;
  readonly watches: Watches;
  readonly scheduler: Scheduler;
  readonly logger: Logger;
  readonly renewals: Pick<LeaseRenewals, 'renew'>;
  readonly wallClock: WallClock;
}

/** Bounds of the recipes. */
export const recipeLimits = {
  /** Calls of one member that may wait for a lock or to be elected at one time; more are refused. */
  maxWaiting: 4096,
  /** Streams of one member that may observe elections at one time; more are refused. */
  maxObservers: 4096,
  /** An observer that takes nothing for this long is given up, milliseconds. */
  maxStallMs: 60_000,
  /** How long one step of a waiting call may take, across changes of the cluster's leader, milliseconds. */
  stepMs: 30_000,
  /** Most bytes that a contender's key is longer than its name: a slash, and a lease in hexadecimal digits. */
  keyOverheadBytes: 17,
  /** Most bytes of events that an observer takes at a time; at least one revision all the same. */
  observedBytes: 256 * 1024,
} as const;

/**
 * Replicates a command.
 *
 * @throws QuorateError what `Proposer.propose` throws, and refusals as errors
 */
export async function propose(needs: RecipeDependencies, command: Command, call: CallContext): Promise<AcceptedResult> {
  return accepted(await needs.proposer.propose(encodeCommand(command), call), needs.wallClock);
}

/** The bounds of one step of a call that may wait: it goes on when the call ends, so that its outcome becomes known. */
export function stepOf(needs: RecipeDependencies): CallContext {
  return { deadline: needs.scheduler.now() + recipeLimits.stepMs };
}
