import { join } from 'node:path';
import type { Packet } from '../support/core-cluster';
import { Story } from '../support/story';

const [a, b, c, d, e] = [1n, 2n, 3n, 4n, 5n] as const;
const disks = Object.fromEntries(['1', '2', '3', '4', '5'].map((id) => [id, { term: 1, log: '1:1' }]));

/** One entry with a payload a message, so that an old entry can travel without the new one after it. */
function newStory(title: string): Story {
  return new Story(title, { size: 5, disks, options: { maxAppendBytes: 1 } });
}

function carriesEntryOfTerm(term: number): (packet: Packet) => boolean {
  return ({ message }) => message.kind === 'append-entries' && message.entries.some((entry) => entry.term === term);
}

/** (a) to (c) of the figure: A leads for the second time, and its entries of term 2 are on A, B and C. */
function tellUntilC(story: Story): void {
  const { cluster } = story;
  story.tell('(a) A leads in term 2. Its entries 2:2 and 3:2 reach B and nobody else. Then A crashes.');
  story.elect(a);
  cluster.partition([a, b], [c, d, e]);
  cluster.propose(a);
  story.goOn();
  story.crash(a);
  story.logs();

  story.tell(
    '(b) E is elected in term 3 by C and D, which know nothing of this. Its entry 2:3 reaches nobody; it crashes.',
  );
  story.wait(200);
  story.elect(e);
  cluster.partition([a, b, c, d]);
  story.goOn();
  story.crash(e);
  story.logs();

  story.tell('(c) A starts again and is elected in term 4. It brings C its entries of term 2; D cannot be reached.');
  story.restart(a);
  story.elect(a);
  cluster.partition([a, b, c]);
  story.goOn({ losing: carriesEntryOfTerm(4) });
  story.wait(20);
  cluster.timeOut(a);
  story.goOn({ losing: carriesEntryOfTerm(4) });
  story.logs();
}

describe('Figure 8: entries of earlier terms are not committed by counting (§5.4.2)', () => {
  it('(d) an entry that a majority holds can still be replaced: the story goes as on file', () => {
    const story = newStory('Figure 8 (a) to (d): why a leader commits no old entry merely because many hold it');
    const { cluster } = story;
    tellUntilC(story);
    expect(['1:1 2:2 3:2 4:4', '1:1 2:2 3:2', '1:1 2:2 3:2']).toEqual([a, b, c].map((id) => cluster.drawLog(id)));
    expect(cluster.raft(a)).toMatchObject({ status: { role: 'leader', commitIndex: 0 } });

    story.tell('3:2 is on A, B and C: a majority. Yet A does not commit it, and rightly so:');
    story.tell(
      '(d) A crashes. E starts again; its last entry is of term 3, so B, C and D vote for it. It replaces 3:2.',
    );
    story.crash(a);
    cluster.partition([b, c, d, e]);
    story.restart(e);
    story.wait(200);
    story.elect(e);
    story.goOn();
    story.logs();
    story.expectAsOnFile(join(__dirname, 'figure-8-d.txt'));
    for (const id of [b, c, d, e]) expect(cluster.drawLog(id)).toBe('1:1 2:3 3:5');
    expect(cluster.raft(e).status.commitIndex).toBe(3);
  });

  it('(e) with an entry of the leader’s own term on a majority all is committed: the story goes as on file', () => {
    const story = newStory(
      'Figure 8 (a) to (c), then (e): an entry of its own term lets a leader commit the older ones',
    );
    const { cluster } = story;
    tellUntilC(story);
    story.tell('(e) Now 4:4, the first entry of term 4, reaches B and C. With it everything before it is committed.');
    for (const peer of [b, c]) cluster.step(a, { kind: 'unreachable', peer });
    story.wait(20);
    cluster.timeOut(a);
    story.goOn();
    expect(cluster.raft(a).status.commitIndex).toBe(4);
    story.logs();

    story.tell(
      'A crashes. E starts again and asks, but B and C hold entries of term 4, and D alone makes no majority.',
    );
    story.crash(a);
    cluster.partition([b, c, d, e]);
    story.restart(e);
    story.wait(200);
    for (let attempt = 0; attempt < 2; attempt++) {
      cluster.timeOut(e);
      story.goOn();
    }
    expect(cluster.raft(e).status).toMatchObject({ role: 'pre-candidate', term: 4 });
    story.tell('B is elected instead, and nothing is lost.');
    story.elect(b);
    story.goOn();
    story.logs();
    story.expectAsOnFile(join(__dirname, 'figure-8-e.txt'));
    for (const id of [b, c, d, e]) expect(cluster.drawLog(id)).toMatch(/^1:1 2:2 3:2 4:4 /);
  });
});
