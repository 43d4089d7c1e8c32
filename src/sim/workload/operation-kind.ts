/** What an operation kind is: how often clients choose it, and how they draw one. */
import type { Rng } from '../../base/rng';
import type { PlainCommand } from '../../kv/command';
import type { Mutation, Operation } from './call';

/** What there is to draw from. */
export interface DrawContext {
  readonly rng: Rng;
  /** Few, so that calls meet. None of them is ever attached to a lease. */
  readonly keys: readonly string[];
  /** Others, which are attached to leases most of the time. */
  readonly leasedKeys: readonly string[];
  /** Few too: the ids that clients choose for their leases. */
  readonly leases: readonly bigint[];
  /** A value that no other call writes. */
  readonly freshValue: string;
  /** An id that no other call uses for a lease. */
  readonly freshLease: bigint;
  /** The newest revision that this client was told of. */
  readonly revision: number;
}

/** Longest time to live that clients ask for, seconds: short, so that leases expire while a seed lasts. */
export const maxTtl = 5;

export interface OperationKind {
  readonly name: string;
  /** How often it is chosen, compared with the others. */
  readonly weight: number;
  draw(context: DrawContext): Operation;
}

/** A change without a request id: the client may give it one. */
export function mutation(command: PlainCommand, isUnique = false): Mutation {
  return { kind: 'mutation', command, requestId: undefined, isUnique };
}
