import { shellCommand } from '../../../src/cli/format';
import { memberLines, serveCommand } from '../../../src/cli/member';
import type { MemberDescription, MemberStanding } from '../../../src/client';

const member = (number: number, standing: MemberStanding): MemberDescription => ({
  id: BigInt(number),
  name: `m${String(number)}`,
  peerAddress: `h${String(number)}:2380`,
  clientAddress: `h${String(number)}:2379`,
  standing,
});

describe('the members', () => {
  it('are a table that marks the leader', () => {
    const members = [member(1, 'voter'), member(22, 'learner')];
    expect(memberLines({ clusterId: 9n, leaderId: 1n, members })).toEqual([
      'NAME  ID  STANDING  PEER      CLIENT    LEADER',
      'm1    1   voter     h1:2380   h1:2379   yes',
      'm22   22  learner   h22:2380  h22:2379',
    ]);
  });
});

describe('the command that starts a new member', () => {
  const added = { ...member(4, 'learner'), peerAddress: '[::1]:2380' };

  it('joins through the voters', () => {
    const others = [member(1, 'voter'), member(2, 'leaving'), member(3, 'voter')];
    expect(shellCommand(serveCommand(added, others))).toBe(
      'quorate serve --name m4 --data-dir quorate-m4-4 --client-listen h4:2379 ' +
        "--peer-listen '[::1]:2380' --join h1:2379,h3:2379",
    );
  });

  it('joins through whoever there is, should nobody be known to vote', () => {
    expect(serveCommand(added, [member(1, 'unknown')]).at(-1)).toBe('h1:2379');
  });
});
