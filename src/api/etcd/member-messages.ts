/** Members as messages of etcd: its URLs and our addresses. */
import { isAddress } from '../../base/names';
import type { Member } from '../../gen/etcd/etcdserverpb/cluster';
import type { ListedMember } from '../../node/member-directory';
import type { MemberId } from '../../raft';
import { EtcdError } from './errors';

/** Who is reached with TLS. Members know it of themselves; that it is so with all of them is for operators to see to. */
export interface Secured {
  readonly peers: boolean;
  readonly clients: boolean;
}

/** A member that has not started yet has neither name nor client URL in etcd. */
export function memberMessage(member: ListedMember, secured: Secured): Member {
  const { id, name, standing, awaitsStart, peerAddress, clientAddress } = member;
  return {
    ID: id,
    name: awaitsStart ? '' : name,
    peerURLs: [urlOf(peerAddress, secured.peers)],
    clientURLs: awaitsStart || clientAddress === '' ? [] : [urlOf(clientAddress, secured.clients)],
    isLearner: standing === 'learner',
  };
}

/** The name of a member that was added without one: its id, as `etcdctl` prints it. */
export function unstartedName(id: MemberId): string {
  return id.toString(16);
}

/**
 * The address in the one URL that a member may have: `http://host:port`, or `https`.
 *
 * @throws EtcdError `invalid-member-urls`
 */
export function addressOf(urls: readonly string[]): string {
  const [url, ...others] = urls;
  const address = /^https?:\/\/([^/]+)$/.exec(url ?? '')?.[1];
  if (others.length > 0 || address === undefined || !isAddress(address)) throw new EtcdError('invalid-member-urls');
  return address;
}

function urlOf(address: string, isSecured: boolean): string {
  return `${isSecured ? 'https' : 'http'}://${address}`;
}
