/** Members as messages of etcd: its URLs and our addresses. */
import { isAddress } from '../../base/names';
import type { Member } from '../../gen/etcd/etcdserverpb/cluster';
import type { ListedMember } from '../../node/member-directory';
import type { MemberId } from '../../raft';
import { EtcdError } from './errors';

/** A member that has not started yet has neither name nor client URL in etcd. */
export function memberMessage({ id, name, standing, awaitsStart, ...addresses }: ListedMember): Member {
  const { peerAddress, clientAddress } = addresses;
  return {
    ID: id,
    name: awaitsStart ? '' : name,
    peerURLs: [urlOf(peerAddress)],
    clientURLs: awaitsStart || clientAddress === '' ? [] : [urlOf(clientAddress)],
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

function urlOf(address: string): string {
  return `http://${address}`;
}
