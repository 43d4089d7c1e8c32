import { isHealthy, statusLines, type MemberReport } from '../../../src/cli/status';
import { memberStatus } from '../../support/member-status';

function report(name: string, more: Parameters<typeof memberStatus>[1] = {}): MemberReport {
  const status = memberStatus(name, more);
  return { member: status.member, answer: { kind: 'status', status } };
}

const silent: MemberReport = {
  member: memberStatus('m2').member,
  answer: { kind: 'unreachable', message: 'cannot connect' },
};

describe('status of the cluster', () => {
  it('shows members that cannot be reached, and why', () => {
    const lines = statusLines([report('m1', { role: 'leader' }), silent]);
    expect(lines).toHaveLength(4);
    expect(lines[0]).toMatch(/^NAME +CLIENT +STANDING +ROLE +TERM /);
    expect(lines[1]).toMatch(/^m1 +127.0.0.1:1 +voter +leader +3 /);
    expect(lines[2]).toMatch(/^m2 +127.0.0.1:2 +voter +unreachable +- /);
    expect(lines[3]).toBe('m2: cannot connect');
  });

  it('shows how far the leader of the newest term has supplied its peers', () => {
    const peers = [
      { memberId: 2n, state: 'replicate', matchIndex: 8, silentMs: 12 },
      { memberId: 9n, state: 'snapshot', matchIndex: 3, silentMs: 4000 },
    ] as const;
    const old = report('m2', { role: 'leader', term: 2, peers: [{ ...peers[0], matchIndex: 1 }] });
    const lines = statusLines([report('m1', { role: 'leader', lastLogIndex: 10, peers }), old]);
    expect(lines.slice(3)).toEqual([
      '',
      'PEER  SUPPLIED BY  MATCH  LAG  SILENT',
      'm2    replicate    8      2    12 ms',
      '9     snapshot     3      7    4000 ms',
    ]);
  });

  it('is healthy when all answer and follow one leader of one term with a quorum', () => {
    const leader = report('m1', { role: 'leader' });
    expect(isHealthy([leader, report('m2')])).toBe(true);
    expect(isHealthy([leader, silent])).toBe(false);
    expect(isHealthy([leader, report('m2', { leaderId: undefined })])).toBe(false);
    expect(isHealthy([leader, report('m2', { leaderId: 2n })])).toBe(false);
    expect(isHealthy([leader, report('m2', { term: 4 })])).toBe(false);
    expect(isHealthy([leader, report('m2', { hasQuorum: false })])).toBe(false);
    expect(isHealthy([])).toBe(false);
  });
});
