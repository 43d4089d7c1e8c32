/** The metadata by which members recognise each other, and the check at the door. */
import { Metadata } from '@grpc/grpc-js';
import type { Incarnation } from '../base/incarnation';
import type { MemberId } from '../raft';

const clusterIdKey = 'quorate-cluster-id';
const fromKey = 'quorate-from';
const toKey = 'quorate-to';
/** In calls and in the first metadata of their answers: `disk.boots.run` in decimal. */
const incarnationKey = 'quorate-incarnation';
/** In the last metadata of a call that was refused for the incarnation of its caller. */
const refusedKey = 'quorate-refused-incarnation';

/** The ids that a call between members carries. */
export interface PeerIdentity {
  readonly clusterId: bigint;
  readonly from: MemberId;
  readonly to: MemberId;
  /** Of the caller. */
  readonly incarnation: Incarnation;
}

/** Whom a member lets in: who names its cluster and means it. Who belongs to the cluster at the moment is for Raft to say. */
export interface Door {
  readonly clusterId: bigint;
  readonly selfId: MemberId;
  readonly incarnation: Incarnation;
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
  metadata.set(incarnationKey, encodeIncarnation(identity.incarnation));
  return metadata;
}

/** The first metadata of an answer: it also tells the caller that it was let in. */
export function answerMetadata({ incarnation }: Door): Metadata {
  const metadata = new Metadata();
  metadata.set(incarnationKey, encodeIncarnation(incarnation));
  return metadata;
}

/** The last metadata for a caller that is not admitted for its incarnation. */
export function refusedMetadata(): Metadata {
  const metadata = new Metadata();
  metadata.set(refusedKey, 'true');
  return metadata;
}

/** True if a call ended for that reason. */
export function isRefusedIncarnation(metadata: Metadata): boolean {
  return metadata.get(refusedKey).length > 0;
}

/** The incarnation that a call or an answer tells; undefined if there is none that can be read. */
export function incarnationOf(metadata: Metadata): Incarnation | undefined {
  const values = metadata.get(incarnationKey);
  const parts = values.length === 1 ? String(values[0]).split('.') : [];
  const [disk, boots, run] = parts.map(parseId);
  if (parts.length !== 3 || disk === undefined || boots === undefined || run === undefined) return undefined;
  return boots <= BigInt(Number.MAX_SAFE_INTEGER) ? { disk, boots: Number(boots), run } : undefined;
}

function encodeIncarnation({ disk, boots, run }: Incarnation): string {
  return [disk, boots, run].join('.');
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

/** The id under a key; undefined if it is missing, twice there or malformed. */
function readId(metadata: Metadata, key: string): bigint | undefined {
  const values = metadata.get(key);
  const [text] = values;
  return values.length === 1 && typeof text === 'string' ? parseId(text) : undefined;
}

/** A 64-bit number other than 0 in decimal. */
function parseId(text: string): bigint | undefined {
  if (!/^[0-9]{1,20}$/.test(text)) return undefined;
  const id = BigInt(text);
  return id > 0n && id < 1n << 64n ? id : undefined;
}
