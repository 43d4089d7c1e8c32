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
    expect(lines[0]).toMatch(/^NAME +CLIENT +ROLE +TERM /);
    expect(lines[1]).toMatch(/^m1 +127.0.0.1:1 +leader +3 /);
    expect(lines[2]).toMatch(/^m2 +127.0.0.1:2 +unreachable +- /);
    expect(lines[3]).toBe('m2: cannot connect');
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
