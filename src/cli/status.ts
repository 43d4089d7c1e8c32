/** `quorate status`: a table of all members, those that cannot be reached included. */
import type { Command } from 'commander';
import {
  QuorateError,
  type QuorateClient,
  type MemberDescription,
  type MembersAnswer,
  type MemberStatus,
} from '../client';
import { addClientOptions, newClient, runVerb, type ClientCommandOptions } from './client-command';
import { exitCode } from './exit-code';
import { bytesForPeople, memberToJson, statusToJson, tableLines, toJson } from './format';

interface StatusOptions extends ClientCommandOptions {
  readonly check?: boolean;
}

/** One member and what it said, or why it did not. */
export interface MemberReport {
  readonly member: MemberDescription;
  readonly answer:
    | { readonly kind: 'status'; readonly status: MemberStatus }
    | { readonly kind: 'unreachable'; readonly message: string };
}

export function registerStatusCommand(program: Command): void {
  const command = program
    .command('status')
    .description(
      'Show all members: standing, role, term, indexes, sizes; and how far the leader has supplied each. ' +
        'Needs one member that answers, not a quorum.',
    )
    .option('--check', 'exit with 6 unless every member answers and all agree on one leader that has a quorum');
  addClientOptions(command).action(async (options: StatusOptions) => {
    await runVerb(options, async ({ client, json, write }) => {
      const members = await client.cluster.members();
      const reports = await reportsOf(members, options);
      const healthy = isHealthy(reports);
      await write(
        json ? `${toJson(reportsToJson(members, reports, healthy))}\n` : `${statusLines(reports).join('\n')}\n`,
      );
      return options.check === true && !healthy ? exitCode.degraded : exitCode.ok;
    });
  });
}

/**
 * Asks every member. Those behind the given endpoints are asked there, since the addresses the members tell may mean
 * nothing here (behind a port forward, for example); the others at the address they are listed with.
 */
async function reportsOf(members: MembersAnswer, options: StatusOptions): Promise<MemberReport[]> {
  const given = await Promise.all(options.endpoints.map((endpoint) => askStatus(endpoint, options)));
  const known = new Map<bigint, MemberStatus>();
  for (const answer of given) {
    if (answer.kind === 'status' && answer.status.clusterId === members.clusterId) {
      known.set(answer.status.member.id, answer.status);
    }
  }
  return Promise.all(
    members.members.map(async (member) => {
      const status = known.get(member.id);
      if (status !== undefined) return { member, answer: { kind: 'status', status } };
      return { member, answer: expectMember(member, await askStatus(member.clientAddress, options)) };
    }),
  );
}

/** Asks one address for the state of the member there. Never throws. */
async function askStatus(address: string, options: StatusOptions): Promise<MemberReport['answer']> {
  let client: QuorateClient | undefined;
  try {
    // One attempt and a little patience: a member that is down must not hold up the table.
    const timeoutMs = Math.min(options.timeout, 2_000);
    client = newClient(options, { endpoints: [address], timeoutMs, maxAttempts: 2 });
    return { kind: 'status', status: await client.cluster.status() };
  } catch (error) {
    return { kind: 'unreachable', message: error instanceof QuorateError ? error.message : String(error) };
  } finally {
    client?.close();
  }
}

function expectMember(member: MemberDescription, answer: MemberReport['answer']): MemberReport['answer'] {
  if (answer.kind === 'unreachable' || answer.status.member.id === member.id) return answer;
  return { kind: 'unreachable', message: `another member answers there: ${answer.status.member.name}` };
}

/** Whether every member answers and all follow one leader of one term that has a quorum. */
export function isHealthy(reports: readonly MemberReport[]): boolean {
  const leaders = new Set<string>();
  for (const { answer } of reports) {
    if (answer.kind === 'unreachable' || answer.status.leaderId === undefined || !answer.status.hasQuorum) return false;
    leaders.add(`${String(answer.status.leaderId)} ${String(answer.status.term)}`);
  }
  return leaders.size === 1;
}

function reportsToJson(members: MembersAnswer, reports: readonly MemberReport[], healthy: boolean): object {
  return {
    clusterId: members.clusterId,
    healthy,
    members: reports.map(({ member, answer }) =>
      answer.kind === 'status'
        ? { reachable: true, ...statusToJson(answer.status) }
        : { reachable: false, member: memberToJson(member), error: answer.message },
    ),
  };
}

const statusColumns = [
  ...['NAME', 'CLIENT', 'STANDING', 'ROLE', 'TERM', 'LAST', 'COMMIT', 'APPLIED'],
  ...['REVISION', 'DB', 'LOG', 'QUORUM', 'VERSION'],
];

/** The table of members, a line for each that did not answer, and what the leader knows of its peers. */
export function statusLines(reports: readonly MemberReport[]): string[] {
  const lines = tableLines([statusColumns, ...reports.map(statusRow)]);
  for (const { member, answer } of reports) {
    if (answer.kind === 'unreachable') lines.push(`${member.name}: ${answer.message}`);
  }
  return [...lines, ...progressLines(reports)];
}

/** How far the leader of the newest term has supplied its peers; nothing while nobody leads any. */
function progressLines(reports: readonly MemberReport[]): string[] {
  let leader: MemberStatus | undefined;
  for (const { answer } of reports) {
    if (answer.kind !== 'status' || answer.status.role !== 'leader') continue;
    if (leader === undefined || answer.status.term > leader.term) leader = answer.status;
  }
  if (leader === undefined || leader.peers.length === 0) return [];
  const { lastLogIndex, peers } = leader;
  const names = new Map(reports.map(({ member }) => [member.id, member.name]));
  const rows = peers.map(({ memberId, state, matchIndex, silentMs }) => [
    ...[names.get(memberId) ?? String(memberId), state, String(matchIndex)],
    ...[String(lastLogIndex - matchIndex), `${String(silentMs)} ms`],
  ]);
  return ['', ...tableLines([['PEER', 'SUPPLIED BY', 'MATCH', 'LAG', 'SILENT'], ...rows])];
}

function statusRow({ member, answer }: MemberReport): string[] {
  const place = [member.name, member.clientAddress, member.standing];
  if (answer.kind === 'unreachable') {
    return [...place, 'unreachable', ...statusColumns.slice(place.length + 1).map(() => '-')];
  }
  const { status } = answer;
  return [
    ...place,
    status.role,
    String(status.term),
    String(status.lastLogIndex),
    String(status.commitIndex),
    String(status.appliedIndex),
    String(status.revision),
    bytesForPeople(status.stateDatabaseBytes),
    bytesForPeople(status.logDatabaseBytes),
    status.hasQuorum ? 'yes' : 'no',
    status.version,
  ];
}
