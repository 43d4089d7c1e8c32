/** Ids for leases that a member makes on its own: by a call that did not choose one, or for a `ttl`. */
import { createHash, randomBytes } from 'node:crypto';
import type { RequestId } from '../kv/command';

/** Draws the ids that one call needs, one after the other. */
export type LeaseIdSource = () => bigint;

const bytesOfId = 8;

/**
 * The ids are positive 64-bit numbers, and no two calls draw the same one but by a chance of 2^-63. A call with a request
 * id draws the same ids each time it is repeated, through any member: its command is then the same, as the store demands.
 */
export function leaseIdsFor(requestId: RequestId | undefined): LeaseIdSource {
  let drawn = 0;
  return () => positive(requestId === undefined ? randomBytes(bytesOfId) : derived(requestId, drawn++));
}

function derived(requestId: RequestId, ordinal: number): Buffer {
  return createHash('sha256')
    .update(requestId)
    .update(`lease ${String(ordinal)}`)
    .digest();
}

/** 0 means no lease. */
function positive(bytes: Buffer): bigint {
  const id = BigInt.asUintN(63, bytes.readBigUInt64BE(0));
  return id === 0n ? 1n : id;
}
