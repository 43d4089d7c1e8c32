/** What applying a command gives, and what reads give. Equal on every member. */
import type { ValueForm } from './command';

/** Result of a put. */
export interface PutResult {
  readonly kind: 'put';
  /** The revision this put made. */
  readonly revision: number;
  readonly createRevision: number;
  /** 1 when this put created the key. */
  readonly version: number;
}

/** Result of a delete. */
export interface DeleteResult {
  readonly kind: 'delete';
  /** The store's revision afterwards; a new one only if the key was there. */
  readonly revision: number;
  readonly deleted: boolean;
}

export type Result = PutResult | DeleteResult;

/** One key as it stands. */
export interface KeyRecord {
  readonly key: Uint8Array;
  /** Empty when only keys were asked for. */
  readonly value: Uint8Array;
  readonly form: ValueForm;
  readonly createRevision: number;
  readonly modRevision: number;
  readonly version: number;
}

/** Which keys: `start <= key < end` in byte order. */
export interface KeyRange {
  readonly start: Uint8Array;
  /** `undefined` means to the last key. */
  readonly end: Uint8Array | undefined;
}

/** A page of a range. */
export interface RangeQuery extends KeyRange {
  /** Most keys, 1 or more. */
  readonly limit: number;
  /** Stop before the keys and values exceed this many bytes, but return at least one record. */
  readonly maxBytes: number;
  readonly keysOnly: boolean;
}

/** Records of one instant, in ascending byte order of their keys. */
export interface RangePage {
  readonly records: readonly KeyRecord[];
  /** True if the range holds keys after the last record. */
  readonly more: boolean;
}

/** Reads of the store as it stands now: everything applied, nothing else. */
export interface KvReader {
  /** The store-wide revision: 1 for an empty store, one more with each mutation. */
  readonly revision: number;
  get(key: Uint8Array): KeyRecord | undefined;
  range(query: RangeQuery): RangePage;
  /** Bytes on disk, all files of the store together. */
  sizeBytes(): number;
}
