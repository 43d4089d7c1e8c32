/** Where a watch goes on, and its form for clients: the resume token. Opaque to them. */
import { createHash } from 'node:crypto';
import type { KeyRange } from '../../../kv/command';
import { invalid } from '../../validate';

/** Everything before this was told. */
export interface WatchPosition {
  /** The first revision of which changes are still to be told. */
  readonly revision: number;
  /** The first change of that revision that is still to be told: its `sub`. Not 0 only within a revision that was split. */
  readonly sub: number;
  /** The first key of the snapshot, which is of the revision before, that is still to be told; `undefined` when it was. */
  readonly snapshotKey: Uint8Array | undefined;
}

/**
 * A token is base64url of: format (1 byte), whether a snapshot goes on (1), revision (8), change of it (4), fingerprint of
 * all else (8), key of the snapshot. It holds nothing secret and gives no right: whoever forges one watches the same keys.
 */
const format = 1;
const snapshotAt = 1;
const revisionAt = 2;
const subAt = 10;
const fingerprintAt = 14;
const keyAt = 22;

/** The token of a watch of `selection` that goes on at `position`. */
export function resumeToken(selection: KeyRange, { revision, sub, snapshotKey }: WatchPosition): string {
  const header = Buffer.alloc(fingerprintAt);
  header[0] = format;
  header[snapshotAt] = snapshotKey === undefined ? 0 : 1;
  header.writeBigUInt64BE(BigInt(revision), revisionAt);
  header.writeUInt32BE(sub, subAt);
  const key = snapshotKey ?? Buffer.alloc(0);
  return Buffer.concat([header, fingerprint(selection, header, key), key]).toString('base64url');
}

/**
 * Where a token says that a watch goes on.
 *
 * @throws QuorateError `invalid-argument` for anything but a token of a watch of the same keys
 */
export function positionOfToken(selection: KeyRange, token: string): WatchPosition {
  const bytes = Buffer.from(token, 'base64url');
  if (bytes.toString('base64url') !== token || bytes[0] !== format || bytes.length < keyAt) throw foreign();
  const header = bytes.subarray(0, fingerprintAt);
  const key = bytes.subarray(keyAt);
  if (!bytes.subarray(fingerprintAt, keyAt).equals(fingerprint(selection, header, key))) throw foreign();
  const revision = Number(bytes.readBigUInt64BE(revisionAt));
  if (!Number.isSafeInteger(revision) || revision < 1) throw foreign();
  return { revision, sub: bytes.readUInt32BE(subAt), snapshotKey: bytes[snapshotAt] === 0 ? undefined : key };
}

function fingerprint({ start, end }: KeyRange, header: Uint8Array, key: Uint8Array): Buffer {
  const hash = createHash('sha256').update(header);
  hash.update(`${String(start.length)},${String(end?.length)},`).update(start);
  if (end !== undefined) hash.update(end);
  return hash
    .update(key)
    .digest()
    .subarray(0, keyAt - fingerprintAt);
}

function foreign() {
  return invalid('resume_token', 'does not belong here', {
    limit: 'the resume_token of a watch with the same selection',
    actual: 'something else',
  });
}
