/** `quorate member`: lists the members and changes them. */
import type { Command } from 'commander';
import type { MemberDescription, MembersAnswer, NewMember } from '../client';
import { addClientOptions, runVerb, type ClientCommandOptions } from './client-command';
import { exitCode } from './exit-code';
import { memberToJson, shellCommand, tableLines, toJson } from './format';
import { exitWithUsage } from './usage';

interface NewMemberOptions extends ClientCommandOptions {
  readonly peerAddress: string;
  readonly clientAddress: string;
}

interface AddOptions extends NewMemberOptions {
  readonly learner?: boolean;
}

interface UpdateOptions extends ClientCommandOptions {
  readonly peerAddress?: string;
  readonly clientAddress?: string;
}

export function registerMemberCommand(program: Command): void {
  const group = exitWithUsage(program.command('member')).description(
    'List the members of the cluster and change them.',
  );
  registerList(group);
  registerAdd(group);
  registerReplace(group);
  registerRemove(group);
  registerPromote(group);
  registerUpdate(group);
}

function registerList(group: Command): void {
  const command = group.command('list').description('List the members. Needs one member that answers, not a quorum.');
  addClientOptions(command).action(async (options: ClientCommandOptions) => {
    await runVerb(options, async ({ client, json, write }) => {
      const answer = await client.cluster.members();
      await write(json ? `${toJson(membersToJson(answer))}\n` : `${memberLines(answer).join('\n')}\n`);
      return exitCode.ok;
    });
  });
}

function registerAdd(group: Command): void {
  const command = group
    .command('add')
    .description('Add a member that has not started yet. It becomes a voter by itself once it has caught up.')
    .argument('<name>', 'its name, unique in the cluster');
  addAddresses(command)
    .option('--learner', 'leave it a learner, which does not count, until `member promote`')
    .action(async (name: string, options: AddOptions) => {
      await runVerb(options, async ({ client, json, write }) => {
        const { members } = await client.cluster.members();
        const added = await client.cluster.addMember(newMember(name, options), { learner: options.learner ?? false });
        const next = options.learner === true ? 'It stays a learner until it is promoted.' : 'It will become a voter.';
        await write(introduction({ verb: 'Added', member: added, next, others: members }, json));
        return exitCode.ok;
      });
    });
}

function registerReplace(group: Command): void {
  const command = group
    .command('replace')
    .description('Replace a member, dead or alive, by a new one that has not started yet, in one step.')
    .argument('<name>', 'the member that goes')
    .argument('[new-name]', 'the name of the one that comes; by default the same');
  addAddresses(command).action(async (name: string, newName: string | undefined, options: NewMemberOptions) => {
    await runVerb(options, async ({ client, json, write }) => {
      const { members } = await client.cluster.members();
      const comes = await client.cluster.replaceMember(name, newMember(newName ?? name, options));
      const others = members.filter((member) => member.name !== name);
      const next = 'Its predecessor counts no more, and must not be started again.';
      await write(introduction({ verb: `Replaced ${name} by`, member: comes, next, others }, json));
      return exitCode.ok;
    });
  });
}

function registerRemove(group: Command): void {
  const command = group
    .command('remove')
    .description('Remove a member, which then stops by itself. Refused if the others would be left without a quorum.')
    .argument('<name>', 'the member');
  addClientOptions(command).action(async (name: string, options: ClientCommandOptions) => {
    await runVerb(options, async ({ client, json, write }) => {
      await client.cluster.removeMember(name);
      await write(json ? `${toJson({ removed: name })}\n` : `Removed ${name}\n`);
      return exitCode.ok;
    });
  });
}

function registerPromote(group: Command): void {
  const command = group
    .command('promote')
    .description('Make a learner a voter. Refused until it has caught up.')
    .argument('<name>', 'the member');
  addClientOptions(command).action(async (name: string, options: ClientCommandOptions) => {
    await runVerb(options, async ({ client, json, write }) => {
      await client.cluster.promoteMember(name);
      await write(json ? `${toJson({ promoted: name })}\n` : `Promoted ${name}: it votes now\n`);
      return exitCode.ok;
    });
  });
}

function registerUpdate(group: Command): void {
  const command = group
    .command('update')
    .description('Change where a member is reached. It keeps its id and its data.')
    .argument('<name>', 'the member')
    .option('--peer-address <host:port>', 'where its peers reach it from now on')
    .option('--client-address <host:port>', 'where clients reach it from now on');
  addClientOptions(command).action(async (name: string, options: UpdateOptions) => {
    const { peerAddress, clientAddress } = options;
    if (peerAddress === undefined && clientAddress === undefined) {
      return command.error('error: give --peer-address, --client-address or both');
    }
    await runVerb(options, async ({ client, json, write }) => {
      await client.cluster.updateMember(name, { peerAddress: peerAddress ?? '', clientAddress: clientAddress ?? '' });
      await write(json ? `${toJson({ updated: name })}\n` : `Updated ${name}\n`);
      return exitCode.ok;
    });
  });
}

function addAddresses(command: Command): Command {
  return addClientOptions(command)
    .requiredOption('--peer-address <host:port>', 'where its peers will reach it')
    .requiredOption('--client-address <host:port>', 'where clients will reach it');
}

function newMember(name: string, { peerAddress, clientAddress }: NewMemberOptions): NewMember {
  return { name, peerAddress, clientAddress };
}

/** What there is to say of a new member. */
interface Introduction {
  readonly verb: string;
  readonly member: MemberDescription;
  /** What happens to it. */
  readonly next: string;
  /** Members it can ask for its place. */
  readonly others: readonly MemberDescription[];
}

function introduction({ verb, member, next, others }: Introduction, json: boolean): string {
  const serve = serveCommand(member, others);
  if (json) return `${toJson({ member: memberToJson(member), serve })}\n`;
  const lines = [`${verb} ${member.name}, id ${String(member.id)}, ${member.standing}. ${next}`];
  lines.push('Start it on its machine, with an empty directory:', '', `  ${shellCommand(serve)}`, '');
  return lines.join('\n');
}

/** The command line that starts a new member for the first time. */
export function serveCommand(member: MemberDescription, others: readonly MemberDescription[]): readonly string[] {
  const voters = others.filter(({ standing }) => standing === 'voter');
  return [
    ...['quorate', 'serve', '--name', member.name, '--data-dir', `quorate-${member.name}-${String(member.id)}`],
    ...['--client-listen', member.clientAddress, '--peer-listen', member.peerAddress],
    ...['--join', (voters.length > 0 ? voters : others).map(({ clientAddress }) => clientAddress).join(',')],
  ];
}

function membersToJson({ clusterId, leaderId, members }: MembersAnswer): object {
  return { clusterId, leaderId: leaderId ?? null, members: members.map(memberToJson) };
}

/** The table of members. */
export function memberLines({ members, leaderId }: MembersAnswer): string[] {
  const rows = members.map(({ id, name, peerAddress, clientAddress, standing }) => [
    ...[name, String(id), standing],
    ...[peerAddress, clientAddress, id === leaderId ? 'yes' : ''],
  ]);
  return tableLines([['NAME', 'ID', 'STANDING', 'PEER', 'CLIENT', 'LEADER'], ...rows]);
}
