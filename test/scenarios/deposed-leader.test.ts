import { join } from 'node:path';
import { Story } from '../support/story';

const [a, b, c] = [1n, 2n, 3n] as const;

describe('Deposed leader (§5.3)', () => {
  it('drops what it could not commit when it returns: the story goes as on file', () => {
    const story = new Story('A leader is cut off, goes on taking commands, and drops them when it returns', {
      size: 3,
    });
    const { cluster } = story;
    story.tell('A leads. One command is committed everywhere.');
    story.elect(a);
    cluster.propose(a);
    story.goOn();

    story.tell('A is cut off. It takes two more commands, which reach nobody.');
    cluster.partition([b, c]);
    cluster.propose(a);
    cluster.propose(a);
    story.goOn();
    story.logs();

    story.tell('B and C hear no more of A. B is elected and commits a command of its own.');
    story.wait(200);
    story.elect(b);
    story.goOn();
    cluster.propose(b);
    story.goOn();
    story.logs();

    story.tell('The connection is back. With the next heartbeat of B, A learns that its term is over.');
    cluster.heal();
    story.wait(20);
    cluster.timeOut(b);
    story.goOn();
    story.tell('The commands that only A had were never committed, and nobody was told they were. They are gone.');
    story.logs();
    story.expectAsOnFile(join(__dirname, 'deposed-leader.txt'));
    for (const id of cluster.ids) expect(cluster.drawLog(id)).toBe('1:1 2:1 3:2 4:2');
  });
});
