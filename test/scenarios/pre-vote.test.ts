import { join } from 'node:path';
import { Story } from '../support/story';

const [a, b, c] = [1n, 2n, 3n] as const;

describe('Pre-vote (thesis §9.6)', () => {
  it('a member that was cut off disturbs nobody when it returns: the story goes as on file', () => {
    const story = new Story('A member is cut off for a while and returns without disturbing anybody', { size: 3 });
    const { cluster } = story;
    story.tell('A leads.');
    story.elect(a);
    story.goOn();

    story.tell('C is cut off. It asks for votes in vain and stays in term 1. (What A and B do meanwhile is left out.)');
    cluster.partition([a, b]);
    story.about(c, () => {
      story.live(350);
    });
    story.tell('A and B commit a command.');
    cluster.propose(a);
    story.goOn();

    story.tell('Now the others hear C, but C does not hear A yet. It asks again. They have a leader, and say no.');
    cluster.heal();
    cluster.cut(a, c);
    story.about(c, () => {
      story.live(150);
    });
    story.tell('C hears A again, and follows. A led all the time, and the term is still 1.');
    cluster.heal();
    story.about(c, () => {
      story.live(25);
    });
    story.logs();
    story.expectAsOnFile(join(__dirname, 'pre-vote.txt'));
    expect(cluster.leader).toBe(a);
    expect(cluster.ids.map((id) => cluster.raft(id).status.term)).toEqual([1, 1, 1]);
  });
});
