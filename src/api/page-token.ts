/** Page tokens: where a listing goes on, bound to the keys it selects. Opaque to clients. */
import { createHash } from 'node:crypto';
import type { KeyRange } from '../kv/result';
import { invalid } from './validate';

/**
 * A token is base64url of: format (1 byte), fingerprint of selection and key (8 bytes), first key of the next page. It
 * holds nothing secret and gives no right: whoever forges one reads keys of the same selection.
 */
const format = 1;
const fingerprintBytes = 8;
const headerBytes = 1 + fingerprintBytes;

/** The token of the page that begins just after `lastKey`. */
export function pageTokenAfter(selection: KeyRange, lastKey: Uint8Array): string {
  const next = Buffer.concat([lastKey, Buffer.of(0)]);
  return Buffer.concat([Buffer.of(format), fingerprint(selection, next), next]).toString('base64url');
}

/**
 * The rest of `selection` that a token stands for; all of it when the token is empty.
 *
 * @throws QuorateError `invalid-argument` for anything but a token of a listing of the same keys
 */
export function rangeFrom(selection: KeyRange, pageToken: string): KeyRange {
  if (pageToken === '') return selection;
  const bytes = Buffer.from(pageToken, 'base64url');
  if (bytes.toString('base64url') !== pageToken || bytes[0] !== format || bytes.length <= headerBytes) throw foreign();
  const start = bytes.subarray(headerBytes);
  if (!bytes.subarray(1, headerBytes).equals(fingerprint(selection, start))) throw foreign();
  const pastEnd = selection.end !== undefined && Buffer.compare(start, selection.end) > 0;
  if (pastEnd || Buffer.compare(start, selection.start) < 0) throw foreign();
  return { start, end: selection.end };
}

function fingerprint({ start, end }: KeyRange, next: Uint8Array): Buffer {
  const hash = createHash('sha256').update(`${String(start.length)},${String(end?.length)},`);
  hash.update(start);
  if (end !== undefined) hash.update(end);
  return hash.update(next).digest().subarray(0, fingerprintBytes);
}

function foreign() {
  return invalid('page_token', 'does not belong here', {
    limit: 'the next_page_token of a listing with the same selection',
    actual: 'something else',
  });
}
