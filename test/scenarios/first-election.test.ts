import { join } from 'node:path';
import { Story } from '../support/story';

describe('First election (§5.2, §5.3)', () => {
  it('goes as on file', () => {
    const story = new Story('First election: three members with empty logs find a leader and store a command', {
      size: 3,
    });
    const { cluster } = story;
    story.tell('Nobody has heard of a leader. The patience of B ends first.');
    cluster.timeOut(2n);
    story.goOn();
    story.tell('The leader began its term with an empty entry of its own. Everybody has it:');
    story.logs();
    expect(cluster.leader).toBe(2n);
    story.tell('A client gives the leader a command. It is committed once two of the three have it on disk.');
    cluster.propose(2n);
    story.goOn();
    story.logs();
    story.expectAsOnFile(join(__dirname, 'first-election.txt'));
    expect(cluster.ids.map((id) => cluster.raft(id).status.commitIndex)).toEqual([2, 2, 2]);
  });
});
