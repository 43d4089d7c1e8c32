/** Page tokens: where a listing goes on, and at which revision, bound to the keys it selects. Opaque to clients. */
import { createHash } from 'node:crypto';
import type { KeyRange } from '../kv/result';
import { invalid } from './validate';

/**
 * A token is base64url of: format (1 byte), revision (8 bytes), fingerprint of all else (8 bytes), first key of the next
 * page. It holds nothing secret and gives no right: whoever forges one reads keys of the same selection.
 */
const format = 2;
const revisionAt = 1;
const fingerprintAt = revisionAt + 8;
const keyAt = fingerprintAt + 8;

/** Where a page begins. */
export interface PagePosition {
  /** What is left of the selection. */
  readonly range: KeyRange;
  /** The store-wide revision of the listing. */
  readonly revision: number;
}

/** The token of the page that begins just after `lastKey`. */
export function pageTokenAfter(selection: KeyRange, lastKey: Uint8Array, revision: number): string {
  const next = Buffer.concat([lastKey, Buffer.of(0)]);
  const header = Buffer.alloc(fingerprintAt);
  header[0] = format;
  header.writeBigUInt64BE(BigInt(revision), revisionAt);
  return Buffer.concat([header, fingerprint(selection, header, next), next]).toString('base64url');
}

/**
 * Where a token says that the listing of `selection` goes on; `undefined` for the empty token of the first page.
 *
 * @throws QuorateError `invalid-argument` for anything but a token of a listing of the same keys
 */
export function positionOf(selection: KeyRange, pageToken: string): PagePosition | undefined {
  if (pageToken === '') return undefined;
  const bytes = Buffer.from(pageToken, 'base64url');
  if (bytes.toString('base64url') !== pageToken || bytes[0] !== format || bytes.length <= keyAt) throw foreign();
  const start = bytes.subarray(keyAt);
  const print = fingerprint(selection, bytes.subarray(0, fingerprintAt), start);
  if (!bytes.subarray(fingerprintAt, keyAt).equals(print)) throw foreign();
  const pastEnd = selection.end !== undefined && Buffer.compare(start, selection.end) > 0;
  const revision = Number(bytes.readBigUInt64BE(revisionAt));
  if (pastEnd || Buffer.compare(start, selection.start) < 0 || !Number.isSafeInteger(revision)) throw foreign();
  return { range: { start, end: selection.end }, revision };
}

function fingerprint({ start, end }: KeyRange, header: Uint8Array, next: Uint8Array): Buffer {
  const hash = createHash('sha256')
    .update(header)
    .update(`${String(start.length)},${String(end?.length)},`);
  hash.update(start);
  if (end !== undefined) hash.update(end);
  return hash
    .update(next)
    .digest()
    .subarray(0, keyAt - fingerprintAt);
}

function foreign() {
  return invalid('page_token', 'does not belong here', {
    limit: 'the next_page_token of a listing with the same selection',
    actual: 'something else',
  });
}
