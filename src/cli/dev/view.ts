/** What a development cluster looks like at one instant, as a table and as the news since the instant before. Pure. */
import type { MemberStatus } from '../../client';
import { tableLines } from '../format';
import { endOf, type ProcessState } from './member-process';

/** One member at one instant. */
export interface MemberView {
  readonly name: string;
  readonly clientAddress: string;
  readonly process: ProcessState;
  /** What it answered; `undefined` if it did not. */
  readonly status: MemberStatus | undefined;
  /** The command that starts it again. */
  readonly startCommand: string;
}

/** Who leads, as far as the members tell: the leader of the highest term that one claims with a quorum behind it. */
export function leaderOf(views: readonly MemberView[]): MemberStatus | undefined {
  let leader: MemberStatus | undefined;
  for (const { status } of views) {
    if (status?.role !== 'leader' || !status.hasQuorum) continue;
    if (leader === undefined || status.term > leader.term) leader = status;
  }
  return leader;
}

/** Whether every member whose process runs has answered. */
export function allAnswer(views: readonly MemberView[]): boolean {
  return views.every(({ process, status }) => process.kind !== 'running' || status !== undefined);
}

/** The table of all members. */
export function viewLines(views: readonly MemberView[]): string[] {
  return tableLines([
    ['MEMBER', 'CLIENT', 'PID', 'STATE', 'TERM', 'LAST', 'COMMIT', 'APPLIED', 'REVISION'],
    ...views.map(row),
  ]);
}

function row(view: MemberView): string[] {
  const { status, process } = view;
  const pid = process.kind === 'running' ? String(process.pid) : '-';
  if (status === undefined)
    return [view.name, view.clientAddress, pid, stateWithoutAnswer(process), '-', '-', '-', '-', '-'];
  const numbers = [status.term, status.lastLogIndex, status.commitIndex, status.appliedIndex, status.revision];
  return [view.name, view.clientAddress, pid, status.role, ...numbers.map(String)];
}

function stateWithoutAnswer(process: ProcessState): string {
  switch (process.kind) {
    case 'running':
      return 'no answer';
    case 'not-started':
      return 'down (not started)';
    case 'ended':
      return `down (${process.signal ?? `exit code ${String(process.code)}`})`;
  }
}

/** What changed between two instants, a sentence each: members that went or came, roles, the leader. */
export function news(before: readonly MemberView[], after: readonly MemberView[]): string[] {
  const told: string[] = [];
  after.forEach((view, position) => {
    const old = before[position];
    if (old !== undefined) told.push(...memberNews(old, view));
  });
  const oldLeader = leaderOf(before);
  const leader = leaderOf(after);
  if (leader !== undefined && (oldLeader?.member.id !== leader.member.id || oldLeader.term !== leader.term)) {
    told.push(`${leader.member.name} leads term ${String(leader.term)}`);
  }
  if (leader === undefined && oldLeader !== undefined) told.push('nobody leads');
  return told;
}

function memberNews(old: MemberView, view: MemberView): string[] {
  const { name } = view;
  if (view.process.kind !== 'running' && old.process.kind === 'running') {
    return [`${name} is down: ${endOf(view.process)}; start it again with: ${view.startCommand}`];
  }
  if (view.status === undefined) return old.status === undefined ? [] : [`${name} does not answer`];
  const role = `${view.status.role} in term ${String(view.status.term)}`;
  if (old.status === undefined) return [`${name} answers: ${role}`];
  // The leader is told of once, for the whole cluster.
  const changed = old.status.role !== view.status.role || old.status.term !== view.status.term;
  return changed && view.status.role !== 'leader' ? [`${name} is ${role}`] : [];
}
