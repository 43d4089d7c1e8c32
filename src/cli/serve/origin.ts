/** Who a member is and with whom it begins: as its directory says, as the cluster it joins says, or as its options say. */
import { QuorateError } from '../../base/error';
import { decodeDirectory, encodeDirectory, firstEntry, type MemberInfo } from '../../node/member-directory';
import { initialClusterOf } from '../../ops/members';
import type { ServeOptions } from '../../ops/options';
import { decodeConfiguration, simpleConfiguration, type ConfigurationPayload, type MemberId } from '../../raft';
import { readIdentity } from '../../storage/sqlite-identity';
import type { Identity, LoadedLog } from '../../storage/storage';
import { takePlace } from './join';
import { joinTls, type MemberTls } from './tls';

/** What a member must know before its log is opened. */
export interface MemberOrigin {
  readonly clusterId: bigint;
  /** This member; its addresses are those the log lists, once it lists any. */
  readonly self: MemberInfo;
  /** What its log begins with, if it is new. A member that joins begins with nobody: it waits for the leader's log. */
  readonly initial: ConfigurationPayload;
}

/** Nobody yet: no voter, so that such a member never campaigns. */
const nobody: ConfigurationPayload = { configuration: simpleConfiguration([]), context: new Uint8Array() };

/**
 * Finds out who this member is. A directory that was used before decides: `--join` is for the first start, and
 * `--initial-members` must then name the same cluster.
 *
 * @throws QuorateError `refused-to-start`, `damaged`
 */
export async function memberOrigin(options: ServeOptions, tls: MemberTls): Promise<MemberOrigin> {
  const stored = readIdentity(options.dataDir);
  if (stored !== undefined) return storedOrigin(options, stored);
  if (options.join !== undefined) {
    const { name, clientListen } = options;
    const { clusterId, self } = await takePlace({ name, clientListen, ...joinTls(options, tls) }, options.join);
    return { clusterId, self, initial: nobody };
  }
  const { clusterId, self, members } = initialClusterOf(options);
  const configuration = simpleConfiguration(members.map(({ id }) => id));
  return { clusterId, self, initial: { configuration, context: encodeDirectory(members.map(firstEntry)) } };
}

function storedOrigin(options: ServeOptions, { clusterId, memberId }: Identity): MemberOrigin {
  const { name, peerListen, clientListen } = options;
  const self = { id: memberId, name, peerAddress: peerListen, clientAddress: clientListen };
  // Storage refuses a log of another cluster than it is told.
  const expected = options.initialMembers === undefined ? clusterId : initialClusterOf(options).clusterId;
  return { clusterId: expected, self, initial: nobody };
}

/**
 * Checks that the log in the directory is that of the member the options name.
 *
 * @throws QuorateError `refused-to-start`
 */
export function refuseOtherName(name: string, id: MemberId, loaded: LoadedLog): void {
  const listed = listedName(id, loaded);
  if (listed === undefined || listed === name) return;
  throw new QuorateError(
    'refused-to-start',
    `the data directory belongs to the member ${listed}, and --name is ${name}; correct --name or --data-dir`,
    { details: { field: 'name', limit: listed, actual: name } },
  );
}

/** The name under which a log lists a member, in the newest of its configurations that does. */
function listedName(id: MemberId, { configuration, configurationEntries }: LoadedLog): string | undefined {
  const contexts = [configuration.context, ...configurationEntries.map(({ payload }) => contextOf(payload))];
  for (const context of contexts.reverse()) {
    const entry = decodeDirectory(context).find((member) => member.id === id);
    if (entry !== undefined) return entry.name;
  }
  return undefined;
}

function contextOf(payload: Uint8Array): Uint8Array {
  return decodeConfiguration(payload)?.context ?? new Uint8Array();
}
