/** A client's call, from both ends: what was asked, what came of it, and when, in the order of the world's events. */
import type { ErrorCode } from '../../base/error';
import type { CallContext, Proposer } from '../../node/call';
import type { KvReader, Result } from '../../kv/result';

/** What a client asks. Keys and values are text. */
export type Operation =
  | { readonly kind: 'put'; readonly key: string; readonly value: string }
  | { readonly kind: 'delete'; readonly key: string }
  | { readonly kind: 'get'; readonly key: string; readonly stale: boolean }
  | { readonly kind: 'list'; readonly start: string; readonly end: string; readonly stale: boolean };

/** A list of all keys there can be. */
export const everything: Operation & { readonly kind: 'list' } = { kind: 'list', start: '!', end: '~', stale: true };

/** What a member reads for a call, all of it at one instant. */
export interface ReadAnswer {
  readonly kind: 'read';
  /** What the member had applied. */
  readonly appliedIndex: number;
  readonly revision: number;
  readonly found: readonly FoundKey[];
}

export interface FoundKey {
  readonly key: string;
  readonly value: string;
  readonly createRevision: number;
  readonly modRevision: number;
  readonly version: number;
}

export type Answer = Result | ReadAnswer;

/** Done, surely not done, or nobody can say (invariant D4); `open` until then. */
export type CallOutcome = 'open' | 'ok' | 'definite' | 'ambiguous';

/** One line of the clients' history. */
export interface Call {
  readonly id: number;
  readonly client: number;
  readonly operation: Operation;
  readonly deadlineMs: number;
  /** Numbers in the order of the world's events. */
  readonly invokedAt: number;
  returnedAt: number;
  outcome: CallOutcome;
  answer: Answer | undefined;
  /** Why it failed, if a member said so. */
  error: ErrorCode | undefined;
}

/** A member as its services see it. */
export interface Serving {
  readonly node: Proposer<Result>;
  readonly machine: KvReader & { readonly appliedIndex: number };
}

/** Does a call on a member, as the services of `api/` do. */
export type Serve = (serving: Serving, context: CallContext) => Promise<Answer>;
