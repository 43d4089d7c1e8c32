import { join } from 'node:path';
import { Story } from '../support/story';

const [a, b] = [1n, 2n] as const;

describe('Leadership transfer (thesis §3.10)', () => {
  it('takes no election timeout: the story goes as on file', () => {
    const story = new Story('A hands over to B, which lacks an entry at first', { size: 3 });
    const { cluster } = story;
    story.elect(a);
    story.goOn();
    story.tell('A takes a command, and is then asked to hand over to B. It brings B up to date first.');
    cluster.propose(a);
    cluster.transfer(a, b);
    story.tell('What comes meanwhile is refused; it was surely not done.');
    cluster.propose(a);
    story.goOn();
    story.tell('B takes commands at once.');
    cluster.propose(b);
    story.goOn();
    story.logs();
    story.tell('B is asked to hand over to A, but A cannot be reached. After an election timeout B leads on.');
    cluster.partition([b, 3n]);
    cluster.propose(b);
    cluster.transfer(b, a);
    story.about(b, () => {
      story.live(cluster.options.electionTimeoutMs + 5);
    });
    cluster.propose(b);
    story.expectAsOnFile(join(__dirname, 'transfer.txt'));
    expect(cluster.leader).toBe(b);
  });
});
