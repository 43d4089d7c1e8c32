import { join } from 'node:path';
import { Story } from '../support/story';

const [a, b, c] = [1n, 2n, 3n] as const;

describe('Partial partitions (invariant L8)', () => {
  it('a follower that does not hear the leader, while the others do, changes nothing: the story goes as on file', () => {
    const story = new Story('A and B do not hear each other; C hears both', { size: 3 });
    const { cluster } = story;
    story.elect(a);
    story.goOn();
    story.tell('The link between A and B breaks. B hears of no leader, but C does, and says so.');
    cluster.cut(a, b);
    cluster.cut(b, a);
    story.about(b, () => {
      story.live(2.5 * cluster.options.electionTimeoutMs);
    });
    story.tell('A leads on with C.');
    cluster.propose(a);
    story.about(c, () => {
      story.goOn();
    });
    story.logs();
    story.tell('Now A hears nobody, though all hear A: it steps down, and only then another is elected.');
    cluster.heal();
    story.about(b, () => {
      story.live(2 * cluster.options.heartbeatIntervalMs);
    });
    cluster.cut(b, a);
    cluster.cut(c, a);
    story.about(a, () => {
      story.live(1.5 * cluster.options.electionTimeoutMs);
    });
    story.about(b, () => {
      story.live(3 * cluster.options.electionTimeoutMs);
    });
    story.logs();
    story.expectAsOnFile(join(__dirname, 'partial-partition.txt'));
    expect(cluster.leader).not.toBe(a);
    expect(cluster.raft(cluster.leader ?? 0n).status.term).toBe(2);
  });
});
