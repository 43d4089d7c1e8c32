import { lastWordsOf } from '../../../../src/cli/dev/member-process';
import { parseManifest } from '../../../../src/cli/dev/preflight';
import { allAnswer, leaderOf, news, viewLines, type MemberView } from '../../../../src/cli/dev/view';
import type { MemberStatus } from '../../../../src/client';
import { memberStatus } from '../../../support/member-status';

function view(
  name: string,
  status: Partial<MemberStatus> | undefined,
  process: MemberView['process'] = { kind: 'running', pid: 5 },
): MemberView {
  return {
    name,
    clientAddress: `127.0.0.1:${name.slice(1)}`,
    process,
    status: status === undefined ? undefined : memberStatus(name, status),
    startCommand: `start ${name}`,
  };
}

const killed: MemberView['process'] = { kind: 'ended', code: null, signal: 'SIGKILL' };
const failed: MemberView['process'] = { kind: 'ended', code: 3, signal: null };
const calm = [view('m1', { role: 'leader' }), view('m2', {})];

describe('view of a development cluster', () => {
  it('shows each member, those that are down included', () => {
    expect(
      viewLines([
        view('m1', { role: 'leader' }),
        view('m2', undefined, killed),
        view('m3', undefined, failed),
        view('m4', undefined),
      ]),
    ).toEqual([
      'MEMBER  CLIENT       PID  STATE               TERM  LAST  COMMIT  APPLIED  REVISION',
      'm1      127.0.0.1:1  5    leader              3     8     7       7        5',
      'm2      127.0.0.1:2  -    down (SIGKILL)      -     -     -       -        -',
      'm3      127.0.0.1:3  -    down (exit code 3)  -     -     -       -        -',
      'm4      127.0.0.1:4  5    no answer           -     -     -       -        -',
    ]);
  });

  it('takes for the leader whom a quorum follows, in the highest term', () => {
    const deposed = view('m1', { role: 'leader', term: 3, hasQuorum: false });
    expect(leaderOf([deposed, view('m2', { role: 'leader', term: 4 })])?.member.name).toBe('m2');
    expect(leaderOf([view('m1', { role: 'leader' }), view('m2', { role: 'leader', term: 4 })])?.member.name).toBe('m2');
    expect(leaderOf([deposed, view('m2', {})])).toBeUndefined();
  });

  it('knows whether all answer that run', () => {
    expect(allAnswer(calm)).toBe(true);
    expect(allAnswer([...calm, view('m3', undefined, killed)])).toBe(true);
    expect(allAnswer([...calm, view('m3', undefined)])).toBe(false);
  });
});

describe('news of a development cluster', () => {
  it('are none while nothing changes but indexes', () => {
    expect(news(calm, [view('m1', { role: 'leader', commitIndex: 9 }), view('m2', { appliedIndex: 9 })])).toEqual([]);
  });

  it('tell a death with the command that starts the member again, and who leads next', () => {
    const alone = [view('m1', undefined, killed), view('m2', {})];
    expect(news(calm, alone)).toEqual([
      'm1 is down: it was ended by SIGKILL; start it again with: start m1',
      'nobody leads',
    ]);
    expect(news(alone, [view('m1', undefined, killed), view('m2', { role: 'leader', term: 4 })])).toEqual([
      'm2 leads term 4',
    ]);
    expect(news(calm, [calm[0] ?? view('m1', {}), view('m2', undefined, failed)])).toEqual([
      'm2 is down: it ended with exit code 3; start it again with: start m2',
    ]);
  });

  it('tell of members that fall silent and come back, and of roles', () => {
    const silent = [view('m1', { role: 'leader' }), view('m2', undefined)];
    expect(news(calm, silent)).toEqual(['m2 does not answer']);
    expect(news(silent, calm)).toEqual(['m2 answers: follower in term 3']);
    expect(news(calm, [view('m1', { role: 'leader' }), view('m2', { role: 'candidate', term: 4 })])).toEqual([
      'm2 is candidate in term 4',
    ]);
  });
});

describe('last words of a member', () => {
  it('are the message of its last line', () => {
    expect(lastWordsOf('{"msg":"first"}\n{"level":"error","reason":"disk full","msg":"stops"}\n')).toBe(
      'stops: disk full',
    );
    expect(lastWordsOf('{"msg":"first"}\n')).toBe('first');
    expect(lastWordsOf('a\nplain text\n')).toBe('plain text');
    expect(lastWordsOf('')).toBe('');
  });
});

describe('what is remembered of a directory', () => {
  it('is read only if this version wrote it', () => {
    expect(parseManifest('{"format":1,"clusterName":"dev","members":["m1","m2"]}')?.members).toEqual(['m1', 'm2']);
    for (const text of [
      '',
      'null',
      '{}',
      '{"format":2,"clusterName":"dev","members":["m1"]}',
      '{"format":1,"clusterName":"dev","members":[]}',
      '{"format":1,"clusterName":"dev","members":["x"]}',
    ]) {
      expect(parseManifest(text)).toBeUndefined();
    }
  });
});
