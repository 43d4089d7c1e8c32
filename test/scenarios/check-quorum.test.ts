import { join } from 'node:path';
import { Story } from '../support/story';

const [a, b, c] = [1n, 2n, 3n] as const;

describe('Check-quorum (thesis §6.2)', () => {
  it('a leader that hears from nobody steps down: the story goes as on file', () => {
    const story = new Story('A leader that hears from nobody steps down by itself (election timeout 100 ms)', {
      size: 3,
    });
    const { cluster } = story;
    story.tell('A leads and is cut off.');
    story.elect(a);
    story.goOn();
    cluster.partition([b, c]);
    story.tell('It sends a heartbeat every 20 ms. After 100 ms without an answer it no longer believes that it leads.');
    for (let wake = 0; wake < 10 && cluster.raft(a).status.role === 'leader'; wake++) cluster.timeOut(a);
    cluster.propose(a);
    story.tell('It asks for votes, but stays in its term: nobody says yes.');
    cluster.timeOut(a);
    cluster.timeOut(a);
    story.logs();
    story.expectAsOnFile(join(__dirname, 'check-quorum.txt'));
    expect(cluster.raft(a).status).toMatchObject({ role: 'pre-candidate', term: 1 });
  });
});
