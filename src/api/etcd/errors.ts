/** Errors of the etcd API: THE table of our errors and refusals as etcd v3.5 words them. Its clients compare the texts. */
import { Metadata, status } from '@grpc/grpc-js';
import { type ErrorCode, QuorateError } from '../../base/error';
import type { Refusal, RefusedResult } from '../../kv/result';
import type { ErrorDialect } from '../error-dialect';
import type { CallStatus } from '../errors';

/** What etcd says, by a name of ours. Status and text are etcd's, to the letter. */
export const etcdErrors = {
  'empty-key': [status.INVALID_ARGUMENT, 'etcdserver: key is not provided'],
  'key-not-found': [status.INVALID_ARGUMENT, 'etcdserver: key not found'],
  'value-provided': [status.INVALID_ARGUMENT, 'etcdserver: value is provided'],
  'lease-provided': [status.INVALID_ARGUMENT, 'etcdserver: lease is provided'],
  'too-many-ops': [status.INVALID_ARGUMENT, 'etcdserver: too many operations in txn request'],
  'duplicate-key': [status.INVALID_ARGUMENT, 'etcdserver: duplicate key given in txn request'],
  'invalid-sort-option': [status.INVALID_ARGUMENT, 'etcdserver: invalid sort option'],
  'invalid-member-urls': [status.INVALID_ARGUMENT, 'etcdserver: given member URLs are invalid'],
  'request-too-large': [status.INVALID_ARGUMENT, 'etcdserver: request is too large'],
  'bad-downgrade-format': [status.INVALID_ARGUMENT, 'etcdserver: wrong downgrade target version format'],
  'bad-downgrade-version': [status.INVALID_ARGUMENT, 'etcdserver: invalid downgrade target version'],
  'watch-canceled': [status.CANCELLED, 'etcdserver: watch canceled'],
  'deadline-exceeded': [status.DEADLINE_EXCEEDED, 'etcdserver: context deadline exceeded'],
  'lease-not-found': [status.NOT_FOUND, 'etcdserver: requested lease not found'],
  'member-not-found': [status.NOT_FOUND, 'etcdserver: member not found'],
  'no-space': [status.RESOURCE_EXHAUSTED, 'etcdserver: mvcc: database space exceeded'],
  'too-many-requests': [status.RESOURCE_EXHAUSTED, 'etcdserver: too many requests'],
  'lease-exists': [status.FAILED_PRECONDITION, 'etcdserver: lease already exists'],
  'peer-url-exists': [status.FAILED_PRECONDITION, 'etcdserver: Peer URLs already exists'],
  'too-few-started-members': [
    status.FAILED_PRECONDITION,
    'etcdserver: re-configuration failed due to not enough started members',
  ],
  'not-a-learner': [status.FAILED_PRECONDITION, 'etcdserver: can only promote a learner member'],
  'learner-not-ready': [
    status.FAILED_PRECONDITION,
    'etcdserver: can only promote a learner member which is in sync with leader',
  ],
  'root-user-missing': [status.FAILED_PRECONDITION, 'etcdserver: root user does not exist'],
  'user-not-found': [status.FAILED_PRECONDITION, 'etcdserver: user name not found'],
  'role-not-found': [status.FAILED_PRECONDITION, 'etcdserver: role name not found'],
  'auth-not-enabled': [status.FAILED_PRECONDITION, 'etcdserver: authentication is not enabled'],
  'not-leader': [status.FAILED_PRECONDITION, 'etcdserver: not leader'],
  'not-capable': [status.FAILED_PRECONDITION, 'etcdserver: not capable'],
  'learner-unsupported': [status.FAILED_PRECONDITION, 'etcdserver: rpc not supported for learner'],
  'bad-transferee': [status.FAILED_PRECONDITION, 'etcdserver: bad leader transferee'],
  'no-downgrade': [status.FAILED_PRECONDITION, 'etcdserver: no inflight downgrade job'],
  compacted: [status.OUT_OF_RANGE, 'etcdserver: mvcc: required revision has been compacted'],
  'future-revision': [status.OUT_OF_RANGE, 'etcdserver: mvcc: required revision is a future revision'],
  'lease-ttl-too-large': [status.OUT_OF_RANGE, 'etcdserver: too large lease TTL'],
  'no-leader': [status.UNAVAILABLE, 'etcdserver: no leader'],
  'leader-changed': [status.UNAVAILABLE, 'etcdserver: leader changed'],
  stopped: [status.UNAVAILABLE, 'etcdserver: server stopped'],
  'timed-out': [status.UNAVAILABLE, 'etcdserver: request timed out'],
  'transfer-timed-out': [status.UNKNOWN, 'etcdserver: request timed out, leader transfer took too long'],
  'unhealthy-cluster': [status.UNAVAILABLE, 'etcdserver: unhealthy cluster'],
  corrupt: [status.DATA_LOSS, 'etcdserver: corrupt cluster'],
  'session-expired': [status.UNKNOWN, 'mutex: session is expired'],
  'not-elected': [status.UNKNOWN, 'election: not leader'],
  'no-elected-leader': [status.UNKNOWN, 'election: no leader'],
  'no-leader-key': [status.UNKNOWN, '"leader" field must be provided'],
} as const satisfies Readonly<Record<string, readonly [status, string]>>;

export type EtcdErrorName = keyof typeof etcdErrors;

/** A request that the etcd API refuses, in etcd's words. Thrown and understood only here. */
export class EtcdError extends Error {
  override readonly name = 'EtcdError';
  readonly reason: EtcdErrorName;

  constructor(reason: EtcdErrorName) {
    super(etcdErrors[reason][1]);
    this.reason = reason;
  }
}

/**
 * What our errors are in etcd's words; `own-words` for those that etcd has not: Unknown with their own text, as etcd does
 * with whatever it has no status for.
 */
const wordsOfCodes: Readonly<Record<ErrorCode, EtcdErrorName | 'own-words'>> = {
  'invalid-argument': 'own-words',
  'no-leader': 'no-leader',
  'no-quorum': 'timed-out',
  'outcome-unknown': 'timed-out',
  superseded: 'leader-changed',
  'deadline-exceeded': 'deadline-exceeded',
  overloaded: 'too-many-requests',
  // The services that change members look closer first.
  'change-refused': 'unhealthy-cluster',
  stopping: 'stopped',
  'wrong-cluster': 'own-words',
  damaged: 'corrupt',
  'refused-to-start': 'own-words',
  'snapshot-failed': 'own-words',
  compacted: 'compacted',
  'future-revision': 'future-revision',
  'precondition-failed': 'own-words',
  // Of what can be missing or there already below the services, only leases are an error to etcd.
  'not-found': 'lease-not-found',
  'already-exists': 'lease-exists',
  'no-space': 'no-space',
  corrupt: 'corrupt',
  // Requests of this API have no ids.
  'request-expired': 'own-words',
  'request-mismatch': 'own-words',
  unreachable: 'own-words',
};

/** What refusals of apply are in etcd's words. */
const wordsOfRefusals: Readonly<Record<Exclude<Refusal, 'request-expired' | 'request-mismatch'>, EtcdErrorName>> = {
  'key-not-found': 'key-not-found',
  'duplicate-key': 'duplicate-key',
  'lease-not-found': 'lease-not-found',
  'lease-exists': 'lease-exists',
  compacted: 'compacted',
  'future-revision': 'future-revision',
  'no-space': 'no-space',
  corrupt: 'corrupt',
};

/** The error that a refused command is answered with. */
export function errorOfRefusal({ refusal }: RefusedResult): EtcdError | QuorateError {
  if (refusal === 'request-expired' || refusal === 'request-mismatch') {
    return new QuorateError(refusal, 'the request id cannot be used');
  }
  return new EtcdError(wordsOfRefusals[refusal]);
}

/** The funnel's words for the etcd API. */
export const etcdDialect: ErrorDialect = {
  statusOf(error) {
    if (error instanceof EtcdError) return statusOfName(error.reason);
    if (!(error instanceof QuorateError)) return undefined;
    const name = wordsOfCodes[error.code];
    if (name !== 'own-words') return statusOfName(name);
    const code = error.code === 'invalid-argument' ? status.INVALID_ARGUMENT : status.UNKNOWN;
    return { code, details: error.message, metadata: new Metadata() };
  },
  statusOfBug: () => statusOfName('stopped'),
};

function statusOfName(name: EtcdErrorName): CallStatus {
  const [code, details] = etcdErrors[name];
  return { code, details, metadata: new Metadata() };
}
