import { join } from 'node:path';
import { Story } from '../support/story';

const [a, c, d] = [1n, 3n, 4n] as const;

describe('A dead member (thesis §4)', () => {
  it('is replaced by a new one without losing a vote on the way: the story goes as on file', () => {
    const story = new Story('C is dead. D takes its place', { size: 3 });
    const { cluster } = story;
    story.elect(a);
    story.goOn();
    cluster.propose(a);
    story.about(c, () => {
      story.goOn();
      story.crash(c);
    });
    story.about(a, () => {
      story.live(1.2 * cluster.options.electionTimeoutMs);
    });
    story.tell('To remove B instead would leave A alone with the dead C. A refuses.');
    cluster.change(a, [{ kind: 'remove', member: 2n }]);
    story.tell('D begins to listen, and learns what there is.');
    cluster.join(d);
    cluster.change(a, [{ kind: 'add-learner', member: d }]);
    story.about(d, () => {
      story.live(1.5 * cluster.options.heartbeatIntervalMs);
    });
    story.tell('Then it takes the place of C, in one step.');
    cluster.change(a, [
      { kind: 'add-voter', member: d },
      { kind: 'remove', member: c },
    ]);
    story.goOn();
    story.logs();
    story.tell('The old C comes back, and asks for votes in vain: B and D hear from A. Its id is never given again.');
    story.restart(c);
    story.about(c, () => {
      story.live(3 * cluster.options.electionTimeoutMs);
    });
    cluster.change(a, [{ kind: 'add-learner', member: c }]);
    story.logs();
    story.expectAsOnFile(join(__dirname, 'replace-dead-member.txt'));
    expect(cluster.raft(a).status).toMatchObject({ role: 'leader', term: 1 });
  });
});
