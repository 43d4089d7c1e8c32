/** How the directory of the simulated cluster lists a member. */
import { firstEntry, type DirectoryEntry } from '../../node/member-directory';
import type { MemberId } from '../../raft';

export function directoryEntry(id: MemberId): DirectoryEntry {
  return firstEntry({ id, name: `m${id}`, peerAddress: `peer-${id}:1`, clientAddress: `client-${id}:1` });
}
