/** The bounds of the client API, all of them options of the program. */
import { etcdLimits } from './etcd/limits';

/** What an operator may bound. */
export interface ApiLimits {
  /** Longest key, bytes of UTF-8. */
  readonly maxKeyBytes: number;
  /** Longest value, bytes. */
  readonly maxValueBytes: number;
  /** Most bytes of keys and values in one page of a listing; a page holds at least one key all the same. */
  readonly maxPageBytes: number;
  /** What a call without a deadline gets, milliseconds. */
  readonly requestTimeoutMs: number;
  /** Most calls being answered at one time; more are refused, surely not done. */
  readonly maxCallsInFlight: number;
}

/** Bytes a request may take beside its key and its value: tags, lengths and fields yet unknown to this member. */
const requestOverheadBytes = 64 * 1024;

/**
 * The largest request message that is read at all, bytes: of `quorate.v1`, where a page token with its range holds three
 * keys, and of etcd's API, which has bounds of its own.
 */
export function maxRequestBytes(limits: ApiLimits): number {
  const native = Math.max(limits.maxValueBytes, 3 * limits.maxKeyBytes) + limits.maxKeyBytes + requestOverheadBytes;
  return Math.max(native, etcdLimits.maxCommandBytes + etcdLimits.requestOverheadBytes);
}
