/** A client's call, from both ends: what was asked, what came of it, and when, in the order of the world's events. */
import type { LeaseRenewals } from '../../api/lease-renewals';
import type { Clock } from '../../base/clock';
import type { ErrorCode } from '../../base/error';
import type { PlainCommand, RangeOperation, RequestId } from '../../kv/command';
import type { Lessor } from '../../kv/lessor';
import type { KeyRecord, KvReader, LeaseInfo, Refusal, Result } from '../../kv/result';
import type { CallContext, Proposer } from '../../node/call';

/** A command for the log. */
export interface Mutation {
  readonly kind: 'mutation';
  readonly command: PlainCommand;
  /** Under which a repetition is recognised. */
  readonly requestId: RequestId | undefined;
  /** It holds a value that no other call writes, or repeats such a call under its request id. */
  readonly isUnique: boolean;
}

/** One key. */
export interface Get {
  readonly kind: 'get';
  readonly key: string;
  /** 0 for the newest. */
  readonly revision: number;
  readonly isStale: boolean;
}

/** All keys from `start` on and before `end`. */
export interface List {
  readonly kind: 'list';
  readonly start: string;
  readonly end: string;
  /** 0 for the newest. */
  readonly revision: number;
  readonly isStale: boolean;
}

/** A range as etcd means it. */
export interface Select {
  readonly kind: 'select';
  readonly query: Omit<RangeOperation, 'kind'>;
  readonly isStale: boolean;
}

/** A keep-alive. */
export interface Renew {
  readonly kind: 'renew';
  readonly lease: bigint;
}

/** What is left of a lease. */
export interface LookAtLease {
  readonly kind: 'lease';
  readonly lease: bigint;
  readonly isStale: boolean;
}

export type ReadOperation = Get | List | Select | LookAtLease;
export type Operation = Mutation | Renew | ReadOperation;

/** A list of all keys there can be. */
export const everything: List = { kind: 'list', start: '!', end: '~', revision: 0, isStale: true };

/** What a member reads for a call, all of it at one instant. */
export interface ReadAnswer {
  readonly kind: 'read';
  /** What the member had applied. */
  readonly appliedIndex: number;
  readonly revision: number;
  readonly found: readonly KeyRecord[];
  /** Select: what else it tells. */
  readonly counts: { readonly count: number; readonly more: boolean } | undefined;
  /** The revision asked for cannot be read. */
  readonly refusal: Refusal | undefined;
}

/** What a member knows of a lease. */
export interface LeaseAnswer {
  readonly kind: 'lease info';
  readonly appliedIndex: number;
  readonly revision: number;
  readonly info: LeaseInfo | undefined;
  readonly keys: readonly string[];
  readonly remainingMs: number | undefined;
}

/** What a keep-alive came to. */
export interface RenewalAnswer {
  readonly kind: 'renewal';
  readonly revision: number;
  readonly ttl: number | undefined;
}

/** What a command gave, and for how long the holder of a lease that it granted may count on that, seconds. */
export type MutationAnswer = Result & { readonly promised?: number };

export type Answer = MutationAnswer | ReadAnswer | LeaseAnswer | RenewalAnswer;

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
  /** The time of the world. */
  readonly invokedAtMs: number;
  outcome: CallOutcome;
  answer: Answer | undefined;
  /** Why it failed, if a member said so. */
  error: ErrorCode | undefined;
}

/** A member as its services see it. */
export interface Serving {
  readonly node: Proposer<Result>;
  readonly machine: KvReader & { readonly appliedIndex: number };
  readonly clock: Clock;
  readonly renewals: LeaseRenewals;
  readonly lessor: Pick<Lessor, 'remainingMs'>;
}

/** Does a call on a member, as the services of `api/` do. */
export type Serve = (serving: Serving, context: CallContext) => Promise<Answer>;

/** True if it changes something, so that its outcome may be unknown. */
export function isMutation({ kind }: Operation): boolean {
  return kind === 'mutation' || kind === 'renew';
}

/** True if the answer may be older than what was acknowledged before. */
export function isStaleRead(operation: Operation): boolean {
  return 'isStale' in operation && operation.isStale;
}
