/** Who the first members are, worked out from the options. */
import { QuorateError } from '../base/error';
import type { MemberInfo } from '../node/member-directory';
import { clusterIdOf, memberIdOf } from './identity';
import { fillTemplate, type MemberEntry } from './option-values';
import type { ServeOptions } from './options';

/** The cluster as the options describe it. */
export interface InitialCluster {
  readonly clusterId: bigint;
  /** This member. */
  readonly self: MemberInfo;
  /** All first members, this one among them, in the order of their names. */
  readonly members: readonly MemberInfo[];
}

type MemberOptions = Pick<
  ServeOptions,
  | 'name'
  | 'clusterName'
  | 'initialMembers'
  | 'clientListen'
  | 'peerListen'
  | 'peerAddressTemplate'
  | 'clientAddressTemplate'
>;

/** @throws QuorateError `refused-to-start` when the members contradict each other or lack an address */
export function initialClusterOf(options: MemberOptions): InitialCluster {
  const alone = { name: options.name, peerAddress: options.peerListen, clientAddress: options.clientListen };
  const entries = options.initialMembers ?? [alone];
  const members = entries.map((entry) => memberOf(options, entry)).sort((a, b) => (a.name < b.name ? -1 : 1));
  for (const property of ['name', 'peerAddress', 'clientAddress', 'id'] as const) refuseTwins(members, property);
  const self = members.find((member) => member.name === options.name);
  const names = members.map((member) => member.name);
  if (self === undefined) {
    throw refusal(
      `--name is ${options.name}, which is not among the initial members ${names.join(', ')}`,
      options.name,
    );
  }
  return { clusterId: clusterIdOf(options.clusterName, names), self, members };
}

function memberOf(options: MemberOptions, entry: MemberEntry): MemberInfo {
  const { name } = entry;
  const peerAddress = entry.peerAddress ?? addressFrom(options.peerAddressTemplate, 'peer-address-template', name);
  const clientAddress =
    entry.clientAddress ?? addressFrom(options.clientAddressTemplate, 'client-address-template', name);
  return { id: memberIdOf(options.clusterName, name), name, peerAddress, clientAddress };
}

function addressFrom(template: string | undefined, flag: string, name: string): string {
  if (template !== undefined) return fillTemplate(template, name);
  throw refusal(`--initial-members gives ${name} no address, and there is no --${flag} to make one from`, name);
}

function refuseTwins(members: readonly MemberInfo[], property: keyof MemberInfo): void {
  const seen = new Set<unknown>();
  for (const member of members) {
    const value = member[property];
    if (seen.has(value))
      throw refusal(`--initial-members has two members with the ${property} ${String(value)}`, String(value));
    seen.add(value);
  }
}

function refusal(message: string, actual: string): QuorateError {
  return new QuorateError('refused-to-start', message, { details: { field: 'initial-members', actual } });
}
