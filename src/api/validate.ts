/** Checks the fields of requests. Each error names the field, the limit and what came instead; never a key or value. */
import { QuorateError } from '../base/error';
import { addressLimit, isAddress, isName, nameLimit } from '../base/names';
import { Consistency } from '../gen/quorate/v1/kv';
import type { ValueForm } from '../kv/command';

/** Page sizes of a listing. */
export const pageSizes = { default: 100, max: 1000 } as const;

/**
 * The bytes of a key that must be there.
 *
 * @throws QuorateError `invalid-argument`
 */
export function checkedKey(key: string, maxKeyBytes: number, field = 'key'): Uint8Array {
  if (key === '') throw invalid(field, 'is empty', { limit: '1 byte or more', actual: '0 bytes' });
  return checkedKeyText(field, key, maxKeyBytes);
}

/** The bytes of a text that is compared with keys: it may be empty, but no longer than a key. */
export function checkedKeyText(field: string, text: string, maxKeyBytes: number): Uint8Array {
  const length = Buffer.byteLength(text, 'utf8');
  if (length > maxKeyBytes) throw tooLong(field, length, maxKeyBytes);
  return Buffer.from(text, 'utf8');
}

/** A value as a request carries it. */
export type RequestValue =
  | { readonly $case: 'text'; readonly value: string }
  | { readonly $case: 'data'; readonly value: Uint8Array }
  | undefined;

/** A value as the store keeps it. */
export interface StoredValue {
  readonly value: Uint8Array;
  readonly form: ValueForm;
}

/** @throws QuorateError `invalid-argument` */
export function checkedValue(value: RequestValue, maxValueBytes: number): StoredValue {
  if (value === undefined) throw invalid('value', 'is missing', { limit: 'text or data', actual: 'neither' });
  const length = value.$case === 'text' ? Buffer.byteLength(value.value, 'utf8') : value.value.length;
  if (length > maxValueBytes) throw tooLong(value.$case, length, maxValueBytes);
  return value.$case === 'text'
    ? { value: Buffer.from(value.value, 'utf8'), form: 'text' }
    : { value: value.value, form: 'bytes' };
}

/** True if the read must reflect everything acknowledged before it. Numbers this member does not know are refused. */
export function isLinearizable(consistency: number): boolean {
  switch (consistency) {
    case Consistency.UNSPECIFIED:
    case Consistency.LINEARIZABLE:
      return true;
    case Consistency.STALE:
      return false;
    default:
      throw invalid('consistency', 'is not known', { limit: '0, 1 or 2', actual: String(consistency) });
  }
}

/** Keys in one page; 0 means the default. */
export function checkedPageSize(pageSize: number, field = 'page_size'): number {
  if (pageSize >= 0 && pageSize <= pageSizes.max) return pageSize === 0 ? pageSizes.default : pageSize;
  throw invalid(field, 'is out of range', { limit: `0 to ${String(pageSizes.max)}`, actual: String(pageSize) });
}

/** Bytes of keys and values in one page; 0 means the most there may be. */
export function checkedPageBytes(pageBytes: number, maxPageBytes: number): number {
  if (pageBytes >= 0 && pageBytes <= maxPageBytes) return pageBytes === 0 ? maxPageBytes : pageBytes;
  throw invalid('page_bytes', 'is out of range', { limit: `0 to ${String(maxPageBytes)}`, actual: String(pageBytes) });
}

/**
 * A store-wide revision; 0 stands for something that the field says.
 *
 * @throws QuorateError `invalid-argument`
 */
export function checkedRevision(field: string, revision: number): number {
  if (revision >= 0) return revision;
  throw invalid(field, 'is negative', { limit: '0 or more', actual: String(revision) });
}

/** The name of a member. */
export function checkedName(field: string, name: string): string {
  if (isName(name)) return name;
  throw invalid(field, 'is no name', { limit: nameLimit, actual: shown(name) });
}

/** Where a member is reached. */
export function checkedAddress(field: string, address: string): string {
  if (isAddress(address)) return address;
  throw invalid(field, 'is no address', { limit: addressLimit, actual: shown(address) });
}

/** An error about one field. */
export function invalid(
  field: string,
  complaint: string,
  more: { readonly limit: string; readonly actual: string; readonly requestTimeMs?: number },
): QuorateError {
  const message = `${field} ${complaint}: it is ${more.actual}, allowed is ${more.limit}`;
  return new QuorateError('invalid-argument', message, { details: { field, ...more } });
}

/** Names and addresses are no secrets, but what comes in their place may be long. */
function shown(text: string): string {
  return text.length <= 80 ? JSON.stringify(text) : `${String(text.length)} characters`;
}

function tooLong(field: string, length: number, maxLength: number): QuorateError {
  return invalid(field, 'is too long', {
    limit: `at most ${String(maxLength)} bytes`,
    actual: `${String(length)} bytes`,
  });
}
