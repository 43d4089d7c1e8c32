import { join } from 'node:path';
import { Story } from '../support/story';

const [a, b, c, d, e] = [1n, 2n, 3n, 4n, 5n] as const;

describe('A change of several members (thesis §4.3)', () => {
  it('is finished by the next leader when the first one crashes half-way: the story goes as on file', () => {
    const story = new Story('D and E take the place of B and C, and the leader crashes half-way', { size: 3 });
    const { cluster } = story;
    story.elect(a);
    story.goOn();
    story.tell('D and E begin to listen and learn.');
    for (const id of [d, e]) {
      cluster.join(id);
      cluster.change(a, [{ kind: 'add-learner', member: id }]);
      story.about(id, () => {
        story.goOn();
        story.live(1.5 * cluster.options.heartbeatIntervalMs);
      });
    }
    story.logs();
    story.tell(
      'A is asked to replace B and C by D and E in one step. From now on the old and the new voters must agree.',
    );
    cluster.change(a, [
      { kind: 'remove', member: b },
      { kind: 'remove', member: c },
      { kind: 'add-voter', member: d },
      { kind: 'add-voter', member: e },
    ]);
    const isJointCommitted = (): boolean => cluster.raft(a).status.lastIndex > 4;
    story.goOn({ until: isJointCommitted });
    story.tell('The joint configuration is committed. A has just appended the one that ends it, and crashes.');
    story.crash(a);
    cluster.drop();
    story.logs();
    story.tell('D asks: it needs two of A, B, C, and two of A, D, E.');
    story.elect(d);
    story.tell(
      'It finds the joint configuration in its log. Once an entry of its own is committed, it ends the change.',
    );
    story.goOn();
    story.logs();
    story.tell('A comes back and learns that the change is done: its end of it was the same, but in another term.');
    story.restart(a);
    story.about(a, () => {
      story.live(3 * cluster.options.heartbeatIntervalMs);
    });
    story.logs();
    story.expectAsOnFile(join(__dirname, 'joint-change.txt'));
    for (const id of [a, d, e]) {
      expect(cluster.raft(id).configuration.configuration).toMatchObject({
        voters: [a, d, e],
        outgoing: [],
        removed: [b, c],
      });
    }
  });
});
