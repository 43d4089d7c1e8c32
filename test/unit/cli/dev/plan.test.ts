import { maxBasePort, planCluster } from '../../../../src/cli/dev/plan';
import { shellCommand } from '../../../../src/cli/format';

describe('plan of a development cluster', () => {
  const plan = planCluster({ memberCount: 3, basePort: 17_000, dataDir: '/d' });

  it('gives clients the ports B, B+2, B+4 and peers the ones after them', () => {
    expect(plan.members.map((member) => [member.clientAddress, member.peerAddress])).toEqual([
      ['127.0.0.1:17000', '127.0.0.1:17001'],
      ['127.0.0.1:17002', '127.0.0.1:17003'],
      ['127.0.0.1:17004', '127.0.0.1:17005'],
    ]);
    expect(plan.ports).toEqual([17_000, 17_001, 17_002, 17_003, 17_004, 17_005]);
  });

  it('starts each member with nothing but documented options', () => {
    const members =
      'm1=127.0.0.1:17001/127.0.0.1:17000,m2=127.0.0.1:17003/127.0.0.1:17002,m3=127.0.0.1:17005/127.0.0.1:17004';
    expect(shellCommand(['quorate', ...(plan.members[1]?.serveArguments ?? [])])).toBe(
      'quorate serve --name m2 --cluster-name dev --data-dir /d/m2 --client-listen 127.0.0.1:17002 ' +
        `--peer-listen 127.0.0.1:17003 --initial-members ${members}`,
    );
    expect(plan.members[1]?.logFile).toBe('/d/m2.log');
  });

  it('fits below the last port', () => {
    for (const memberCount of [1, 3, 9]) {
      const { ports } = planCluster({ memberCount, basePort: maxBasePort(memberCount), dataDir: '/d' });
      expect(ports.at(-1)).toBe(65_535);
    }
  });
});

describe('shell command', () => {
  it('quotes what a shell would change', () => {
    expect(shellCommand(['a-b', 'c d', "it's", '$x', ''])).toBe(`a-b 'c d' 'it'\\''s' '$x' ''`);
  });
});
