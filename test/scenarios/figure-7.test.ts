import { join } from 'node:path';
import { Story } from '../support/story';

/** Figure 7 of the extended paper. G is its "leader for term 8". */
const disks = {
  1: { term: 6, log: '1:1 2:1 3:1 4:4 5:4 6:5 7:5 8:6 9:6' },
  2: { term: 4, log: '1:1 2:1 3:1 4:4' },
  3: { term: 6, log: '1:1 2:1 3:1 4:4 5:4 6:5 7:5 8:6 9:6 10:6 11:6' },
  4: { term: 7, log: '1:1 2:1 3:1 4:4 5:4 6:5 7:5 8:6 9:6 10:6 11:7 12:7' },
  5: { term: 4, log: '1:1 2:1 3:1 4:4 5:4 6:4 7:4' },
  6: { term: 3, log: '1:1 2:1 3:1 4:2 5:2 6:2 7:3 8:3 9:3 10:3 11:3' },
  7: { term: 7, log: '1:1 2:1 3:1 4:4 5:4 6:5 7:5 8:6 9:6 10:6' },
};

describe('Figure 7: a leader brings every log in line with its own (§5.3)', () => {
  it('goes as on file', () => {
    const story = new Story('Figure 7: a new leader meets six followers whose logs all differ from its own', {
      size: 7,
      disks,
    });
    const { cluster } = story;
    story.tell(
      'A to F are the followers (a) to (f) of the figure: A and B lack entries, C and D have more, E and F both.',
    );
    story.logs();
    story.tell('G stands for election. C and D know more than G and refuse; the other four are a majority with it.');
    cluster.timeOut(7n);
    story.goOn();
    expect(cluster.leader).toBe(7n);
    story.tell('All logs are equal. What C, D, E and F had beyond the log of G was never committed, and is gone.');
    story.logs();
    story.expectAsOnFile(join(__dirname, 'figure-7.txt'));
    for (const id of cluster.ids) expect(cluster.drawLog(id)).toBe(`${disks[7].log} 11:8`);
  });
});
