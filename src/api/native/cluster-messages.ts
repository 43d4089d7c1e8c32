/** What the node says of members, as messages of `quorate.v1`. */
import { type Member, type PeerProgress, ReplicationState, Role, Standing } from '../../gen/quorate/v1/cluster';
import type { ListedMember } from '../../node/member-directory';
import type { NodeStatus, PeerStatus } from '../../node/status';

/** A member as a message. */
export function memberMessage({ id, name, peerAddress, clientAddress, standing }: ListedMember): Member {
  return { id, name, peerAddress, clientAddress, standing: standingNumbers[standing] };
}

/** What the leader knows of a peer, as a message. */
export function progressMessage({ id, state, matchIndex, silentMs }: PeerStatus): PeerProgress {
  return { memberId: id, state: stateNumbers[state], matchIndex, silentMs: Math.round(silentMs) };
}

export const roleNumbers = {
  follower: Role.FOLLOWER,
  'pre-candidate': Role.PRE_CANDIDATE,
  candidate: Role.CANDIDATE,
  leader: Role.LEADER,
} as const satisfies Record<NodeStatus['role'], Role>;

const standingNumbers = {
  voter: Standing.VOTER,
  learner: Standing.LEARNER,
  leaving: Standing.LEAVING,
} as const satisfies Record<ListedMember['standing'], Standing>;

const stateNumbers = {
  probe: ReplicationState.PROBE,
  replicate: ReplicationState.REPLICATE,
  snapshot: ReplicationState.SNAPSHOT,
} as const satisfies Record<PeerStatus['state'], ReplicationState>;
