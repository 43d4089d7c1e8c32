/** One call of a history of real processes: as the simulator's checkers judge it, and as a line of a file. */
import type { Call } from '../../../src/sim/workload/call';

/** Through what it was made. */
export type Api = 'native' | 'stream' | 'etcd';

/** A call, with what the checkers of real histories need beside it. Times are milliseconds of one clock of this program. */
export interface RecordedCall extends Call {
  /** The class of operations that it belongs to. */
  readonly kind: string;
  readonly api: Api;
  /** The members that it may have gone to. */
  readonly members: string;
  /** Of a stale read: the revision that it must reflect. */
  readonly minRevision?: number;
  /** Of a write on a condition that did not hold: the key's `modRevision` then; 0: it was not there. */
  found?: number;
  /** A lease that it gave, or gave more time. */
  lease?: PromisedLease;
}

/** A lease as its holder was told. */
export interface PromisedLease {
  readonly id: bigint;
  /** `undefined`: there is no such lease. */
  readonly ttlMs: number | undefined;
}

/** A fault, or another event beside the calls. */
export interface RecordedEvent {
  readonly event: string;
  readonly member: string;
  readonly at: number;
}

/** One line of JSON. Bytes are `{"bytes":"text"}` of one character a byte, 64-bit numbers `{"int":"digits"}`. */
export function toLine(record: RecordedCall | RecordedEvent): string {
  return JSON.stringify(record, (_, value: unknown) => {
    if (typeof value === 'bigint') return { int: String(value) };
    if (value === Infinity) return null;
    return isBuffer(value) ? { bytes: Buffer.from(value.data).toString('latin1') } : value;
  });
}

/** What `JSON.stringify` makes of a buffer before it asks. */
function isBuffer(value: unknown): value is { readonly data: readonly number[] } {
  return typeof value === 'object' && value !== null && 'type' in value && value.type === 'Buffer' && 'data' in value;
}

/** The call on a line; `undefined` if it holds an event. */
export function callOfLine(line: string): RecordedCall | undefined {
  const record = JSON.parse(line, (field, value: unknown) => {
    if (typeof value !== 'object') return value;
    if (value === null) return field === 'returnedAt' ? Infinity : value;
    if ('int' in value) return BigInt(value.int as string);
    return 'bytes' in value ? Buffer.from(value.bytes as string, 'latin1') : value;
  }) as RecordedCall | RecordedEvent;
  return 'event' in record ? undefined : record;
}
