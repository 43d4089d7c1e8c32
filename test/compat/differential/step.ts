/** What both servers are told, one after the other: a call of any method, or something with a watch stream. */
import { KVService } from '../../../src/gen/etcd/etcdserverpb/kv';
import { LeaseService } from '../../../src/gen/etcd/etcdserverpb/lease';
import { MaintenanceService } from '../../../src/gen/etcd/etcdserverpb/maintenance';
import type { WatchCreateRequest } from '../../../src/gen/etcd/etcdserverpb/watch';

/** The unary methods whose replies are compared. */
export const methods = {
  range: KVService.range,
  put: KVService.put,
  deleteRange: KVService.deleteRange,
  txn: KVService.txn,
  compact: KVService.compact,
  leaseGrant: LeaseService.leaseGrant,
  leaseRevoke: LeaseService.leaseRevoke,
  leaseTimeToLive: LeaseService.leaseTimeToLive,
  leaseLeases: LeaseService.leaseLeases,
  hashKv: MaintenanceService.hashKv,
  alarm: MaintenanceService.alarm,
  status: MaintenanceService.status,
  defragment: MaintenanceService.defragment,
  moveLeader: MaintenanceService.moveLeader,
} as const;

export type Method = keyof typeof methods;
export type RequestOf<M extends Method> = Parameters<(typeof methods)[M]['requestSerialize']>[0];

/** A call and its request. Lease ids may be aliases (see `leases.ts`). */
export type Call = {
  readonly [M in Method]: { readonly kind: 'call'; readonly method: M; readonly request: RequestOf<M> };
}[Method];

export type Step =
  | Call
  /** One renewal, on a keep-alive stream of its own. */
  | { readonly kind: 'keep-alive'; readonly id: bigint }
  /** Opens a watch stream and creates watches on it, one after the other. */
  | { readonly kind: 'open'; readonly session: number; readonly creates: readonly WatchCreateRequest[] }
  /** Makes calls that give keys to a lease of few seconds, and waits until it has run out on both servers. */
  | { readonly kind: 'run-out'; readonly lease: bigint; readonly calls: readonly Call[] }
  /** Brings the watches of a stream up to date, and asks how far they are. */
  | { readonly kind: 'progress'; readonly session: number }
  /** Brings the watches of a stream up to date, ends them in one of the possible ways, and compares what they told. */
  | { readonly kind: 'close'; readonly session: number; readonly way: 'cancel' | 'leave' };

/** What one server made of a step: its reply, or the status it failed with. Compared after normalisation. */
export type Outcome = { readonly reply: unknown } | { readonly code: number; readonly message: string };

/** Makes a request of its fields; the rest is as if it were not there. */
export function request<T>(message: { decode(bytes: Uint8Array): T }, fields: Partial<T>): T {
  return { ...message.decode(new Uint8Array(0)), ...fields };
}

/** Any value as text for comparing and for people: long integers with n, bytes in quotes as Latin-1, absent fields left out. */
export function textOf(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (typeof value === 'bigint') return `${value}n`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if (value instanceof Uint8Array) return bytesText(Buffer.from(value.buffer, value.byteOffset, value.length));
  if (Array.isArray(value)) return `[${value.map(textOf).join(', ')}]`;
  const fields = Object.entries(value).filter(([, field]) => field !== undefined);
  return `{ ${fields.map(([name, field]) => `${name}: ${textOf(field)}`).join(', ')} }`;
}

function bytesText(bytes: Buffer): string {
  const shown = JSON.stringify(bytes.toString('latin1'));
  return bytes.length <= 64 ? shown : `${shown.slice(0, 40)}..." (${bytes.length} bytes, sum ${checksum(bytes)})`;
}

function checksum(bytes: Uint8Array): number {
  let sum = 0;
  for (const byte of bytes) sum = (Math.imul(sum, 31) + byte) | 0;
  return sum;
}

/** Characters of a line for people. */
const longestLine = 600;

/** A step as a line for people: fields that say nothing are left out. */
export function lineOf(step: Step): string {
  const line = textOf(withoutDefaults(step));
  return line.length <= longestLine ? line : `${line.slice(0, longestLine)}...`;
}

function withoutDefaults(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutDefaults);
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, field]) => !isDefault(field))
      .map(([name, field]) => [name, withoutDefaults(field)]),
  );
}

function isDefault(field: unknown): boolean {
  if (field instanceof Uint8Array || Array.isArray(field)) return field.length === 0;
  return field === 0n || field === 0 || field === false || field === '' || field === undefined;
}
