/** Between the messages of `quorate.v1` and the plain values of this client. */
import { QuorateError } from '../base/error';
import {
  ReplicationState,
  Role,
  Standing,
  type GetStatusResponse,
  type ListMembersResponse,
  type Member,
} from '../gen/quorate/v1/cluster';
import { Consistency, type KeyValue as WireKeyValue, type ListRequest } from '../gen/quorate/v1/kv';
import type {
  KeyValue,
  ListOptions,
  MemberDescription,
  MemberRole,
  MembersAnswer,
  MemberStanding,
  MemberStatus,
  PeerProgress,
  ReadOptions,
  Selection,
  Value,
} from './types';

type WireValue = WireKeyValue['value'];

/** A value as the `oneof` of a message. */
export function toWireValue(value: Value): WireValue {
  if (typeof value === 'string') return { $case: 'text', value: wellFormed('value', value) };
  return { $case: 'data', value: Buffer.from(value.buffer, value.byteOffset, value.byteLength) };
}

/**
 * The text itself, if UTF-8 can express it. A lone surrogate would silently become another character, and so another key.
 *
 * @throws QuorateError `invalid-argument`
 */
export function wellFormed(field: string, text: string): string {
  if (!/\p{Surrogate}/u.test(text)) return text;
  throw new QuorateError(
    'invalid-argument',
    `${field} holds half of a surrogate pair, which is not valid Unicode text`,
    {
      details: { field },
    },
  );
}

export function fromWireKeyValue(kv: WireKeyValue): KeyValue {
  const { key, createRevision, modRevision, version } = kv;
  return { key, value: kv.value?.value, createRevision, modRevision, version };
}

export function toWireConsistency(options: ReadOptions): Consistency {
  return options.consistency === 'stale' ? Consistency.STALE : Consistency.LINEARIZABLE;
}

/** Fields of a read of the state as it is. */
export const newestState = { revision: 0, maxStaleness: undefined, minRevision: 0 } as const;

/** Fields of a mutation without a condition. */
export const unconditional = { ifRevision: 0, returnPrevious: false, requestId: '' } as const;

export function toListRequest(options: ListOptions, pageToken: string): ListRequest {
  return {
    selection: toWireSelection(options.selection ?? { kind: 'all' }),
    pageSize: options.pageSize ?? 0,
    pageToken,
    keysOnly: options.keysOnly ?? false,
    consistency: toWireConsistency(options),
    pageBytes: 0,
    ...newestState,
  };
}

function toWireSelection(selection: Selection): ListRequest['selection'] {
  switch (selection.kind) {
    case 'all':
      return undefined;
    case 'prefix':
      return { $case: 'prefix', value: wellFormed('prefix', selection.prefix) };
    case 'range':
      return {
        $case: 'range',
        value: { start: wellFormed('start', selection.start), end: wellFormed('end', selection.end) },
      };
  }
}

export function fromWireMembers(response: ListMembersResponse): MembersAnswer {
  const { clusterId, members, leaderId } = response;
  return { clusterId, members: members.map(fromWireMember), leaderId: leaderId === 0n ? undefined : leaderId };
}

export function fromWireStatus(response: GetStatusResponse): MemberStatus {
  return {
    ...response,
    member: fromWireMember(response.member),
    role: roles.get(response.role) ?? 'unknown',
    leaderId: response.leaderId === 0n ? undefined : response.leaderId,
    peers: response.peers.map((peer) => ({ ...peer, state: replicationStates.get(peer.state) ?? 'unknown' })),
  };
}

/** A member; nobody, should an answer lack it. */
export function fromWireMember(member: Member | undefined): MemberDescription {
  if (member === undefined) return { id: 0n, name: '', peerAddress: '', clientAddress: '', standing: 'unknown' };
  const { id, name, peerAddress, clientAddress } = member;
  return { id, name, peerAddress, clientAddress, standing: standings.get(member.standing) ?? 'unknown' };
}

const roles: ReadonlyMap<Role, MemberRole> = new Map([
  [Role.FOLLOWER, 'follower'],
  [Role.PRE_CANDIDATE, 'pre-candidate'],
  [Role.CANDIDATE, 'candidate'],
  [Role.LEADER, 'leader'],
]);

const standings: ReadonlyMap<Standing, MemberStanding> = new Map([
  [Standing.VOTER, 'voter'],
  [Standing.LEARNER, 'learner'],
  [Standing.LEAVING, 'leaving'],
]);

const replicationStates: ReadonlyMap<ReplicationState, PeerProgress['state']> = new Map([
  [ReplicationState.PROBE, 'probe'],
  [ReplicationState.REPLICATE, 'replicate'],
  [ReplicationState.SNAPSHOT, 'snapshot'],
]);
