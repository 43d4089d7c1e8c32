/** The metadata by which members recognise each other, and the check at the door. */
import { Metadata } from '@grpc/grpc-js';
import type { MemberId } from '../raft';

const clusterIdKey = 'quorate-cluster-id';
const fromKey = 'quorate-from';
const toKey = 'quorate-to';

/** The ids that a call between members carries. */
export interface PeerIdentity {
  readonly clusterId: bigint;
  readonly from: MemberId;
  readonly to: MemberId;
}

/** Whom a member lets in: who names its cluster and means it. Who belongs to the cluster at the moment is for Raft to say. */
export interface Door {
  readonly clusterId: bigint;
  readonly selfId: MemberId;
}

/** Either the member that calls, or why it is refused, in a sentence that names the likely mistake. */
export type Admission =
  { readonly admitted: true; readonly from: MemberId } | { readonly admitted: false; readonly reason: string };

/** The metadata of an outgoing call. */
export function identityMetadata(identity: PeerIdentity): Metadata {
  const metadata = new Metadata();
  metadata.set(clusterIdKey, identity.clusterId.toString());
  metadata.set(fromKey, identity.from.toString());
  metadata.set(toKey, identity.to.toString());
  return metadata;
}

/** Decides about a caller by its metadata alone, before anything it sends is looked at. */
export function admit(metadata: Metadata, door: Door): Admission {
  const clusterId = readId(metadata, clusterIdKey);
  const from = readId(metadata, fromKey);
  const to = readId(metadata, toKey);
  if (clusterId === undefined || from === undefined || to === undefined) {
    return refusal(
      `this is the peer listener of member ${door.selfId} of cluster ${door.clusterId}; a call here carries ` +
        `${clusterIdKey}, ${fromKey} and ${toKey}. Clients use the client address`,
    );
  }
  if (clusterId !== door.clusterId) {
    return refusal(
      `member ${from} belongs to cluster ${clusterId}, this is member ${door.selfId} of cluster ${door.clusterId}: ` +
        'do --cluster-name and the names in --initial-members agree on all members, and is the peer address right?',
    );
  }
  if (to !== door.selfId) {
    return refusal(
      `member ${from} wanted to reach member ${to}, this is member ${door.selfId}: ` +
        'are two peer addresses swapped in --initial-members?',
    );
  }
  if (from === door.selfId) {
    return refusal(`member ${from} is called by a member of its own id: do two members have the same --name?`);
  }
  return { admitted: true, from };
}

function refusal(reason: string): Admission {
  return { admitted: false, reason };
}

/** A 64-bit id other than 0 in decimal; undefined if it is missing, twice there or malformed. */
function readId(metadata: Metadata, key: string): bigint | undefined {
  const values = metadata.get(key);
  const [text] = values;
  if (values.length !== 1 || typeof text !== 'string' || !/^[0-9]{1,20}$/.test(text)) return undefined;
  const id = BigInt(text);
  return id > 0n && id < 1n << 64n ? id : undefined;
}
