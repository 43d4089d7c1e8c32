/** `quorate snapshot restore`: makes the data directories of a new cluster from a snapshot file. Offline. */
import { join } from 'node:path';
import { InvalidArgumentError, Option, type Command } from 'commander';
import { QuorateError } from '../../client';
import { initialClusterOf, type InitialCluster } from '../../ops/members';
import {
  addressTemplateValue,
  membersValue,
  nameValue,
  type MemberEntry,
  type ValueKind,
} from '../../ops/option-values';
import { addOutputOption } from '../client-command';
import { exitCode } from '../exit-code';
import { bytesForPeople, shellCommand, toJson } from '../format';
import { runOffline, type OfflineOptions } from '../offline-command';
import { progressOn } from '../progress';
import { restoreDirectory, type RestoredState } from './restored-directory';
import { openSnapshotFile, type SnapshotFile } from './snapshot-file';
import { exitWithUsage } from '../usage';

interface RestoreOptions extends OfflineOptions {
  readonly clusterName: string;
  readonly initialMembers: readonly MemberEntry[];
  readonly name?: string;
  readonly dataDir?: string;
  readonly peerAddressTemplate?: string;
  readonly clientAddressTemplate?: string;
  readonly sha256?: string;
}

/** One member to be made. */
interface Place {
  readonly name: string;
  readonly directory: string;
  readonly cluster: InitialCluster;
}

export function registerRestore(group: Command): void {
  const command = exitWithUsage(group.command('restore'))
    .description(
      'Make the data directory of one member of a new cluster from a snapshot file, or those of all its members. Every ' +
        'member must be made from the same file, with the same names. Needs no running cluster.',
    )
    .argument('<file>', 'a file saved by `quorate snapshot save` or `etcdctl snapshot save`')
    .requiredOption(
      '--cluster-name <name>',
      'the name of the new cluster: one that no cluster with these members ever had',
      argumentOf(nameValue),
    )
    .requiredOption(
      '--initial-members <list>',
      'all members of the new cluster, name=peerHost:port/clientHost:port, or names with both address templates',
      argumentOf(membersValue),
    )
    .option('--name <name>', 'make the directory of this member only; default: those of all', argumentOf(nameValue))
    .option(
      '--data-dir <dir>',
      "with --name, the member's directory; otherwise where the directories of all members are made, by their names. It " +
        'must not be there, or be empty. Default: the name',
    )
    .addOption(templateOption('--peer-address-template <host:port>', 'peers'))
    .addOption(templateOption('--client-address-template <host:port>', 'clients'))
    .option(
      '--sha256 <hex>',
      'refuse the file unless its SHA-256 is this, as `snapshot save` printed it',
      sha256Argument,
    );
  addOutputOption(command).action(async (path: string, options: RestoreOptions) => {
    await runOffline(options, async (json) => {
      const file = await openSnapshotFile(path);
      const places = placesOf(options);
      const state = await restoreAll(file, places, options.sha256);
      process.stdout.write(json ? `${toJson(toFacts(state, places))}\n` : sentences(state, places));
      return exitCode.ok;
    });
  });
}

/** One after the other: a second one waits for the disk only. */
async function restoreAll(
  file: SnapshotFile,
  places: readonly Place[],
  sha256: string | undefined,
): Promise<RestoredState> {
  const progress = progressOn(process.stderr);
  let state: RestoredState | undefined;
  try {
    for (const { name, directory, cluster } of places) {
      const onProgress = (copiedBytes: number) => {
        progress.show(copiedBytes / file.sizeBytes, `${name}: ${bytesForPeople(copiedBytes)}`);
      };
      state = await restoreDirectory({ file, directory, cluster, sha256, onProgress });
    }
  } finally {
    progress.end();
  }
  if (state !== undefined) return state;
  throw new QuorateError('invalid-argument', 'a cluster has members', { details: { field: 'initial-members' } });
}

/** Which directories to make, for whom. @throws QuorateError when the members contradict each other */
function placesOf(options: RestoreOptions): readonly Place[] {
  const { name, dataDir } = options;
  if (name !== undefined) return [{ name, directory: dataDir ?? name, cluster: clusterFor(options, name) }];
  return options.initialMembers.map((member) => ({
    name: member.name,
    directory: join(dataDir ?? '.', member.name),
    cluster: clusterFor(options, member.name),
  }));
}

function clusterFor(options: RestoreOptions, name: string): InitialCluster {
  const { clusterName, initialMembers, peerAddressTemplate, clientAddressTemplate } = options;
  const addresses = { peerListen: '', clientListen: '', peerAddressTemplate, clientAddressTemplate };
  return initialClusterOf({ name, clusterName, initialMembers, ...addresses });
}

function toFacts(state: RestoredState, places: readonly Place[]): object {
  const members = places.map((place) => ({
    name: place.name,
    id: place.cluster.self.id,
    directory: place.directory,
    serve: serveCommand(place),
  }));
  return { clusterId: places[0]?.cluster.clusterId, ...state, members };
}

function sentences(state: RestoredState, places: readonly Place[]): string {
  const { revision, keys, sha256 } = state;
  const cluster = String(places[0]?.cluster.clusterId);
  return [
    `Restored cluster ${cluster}: revision ${String(revision)}, ${String(keys)} keys, from SHA-256 ${sha256}`,
    'Start each member on its machine, with whatever other options it should have:',
    '',
    ...places.map((place) => `  ${shellCommand(serveCommand(place))}`),
    '',
  ].join('\n');
}

/** The command line that starts a restored member: who the others are stands in its directory. */
function serveCommand({ name, directory, cluster }: Place): readonly string[] {
  const { clientAddress, peerAddress } = cluster.self;
  return [
    ...['quorate', 'serve', '--name', name, '--data-dir', directory],
    ...['--client-listen', clientAddress, '--peer-listen', peerAddress],
  ];
}

/** A kind of value of `serve` as a parser of arguments. */
function argumentOf<T>(kind: ValueKind<T>): (text: string) => T {
  return (text) => {
    const value = kind.parse(text);
    if (value !== undefined) return value;
    throw new InvalidArgumentError(`It must be ${kind.limit}.`);
  };
}

function templateOption(flags: string, who: string): Option {
  const description = `where ${who} reach a member, with {name} in it, for members that are given by name alone`;
  return new Option(flags, description).argParser(argumentOf(addressTemplateValue));
}

function sha256Argument(text: string): string {
  if (/^[0-9a-f]{64}$/i.test(text)) return text.toLowerCase();
  throw new InvalidArgumentError('It must be 64 hexadecimal digits.');
}
