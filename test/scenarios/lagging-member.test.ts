import { join } from 'node:path';
import { Story } from '../support/story';

const [a, b, c] = [1n, 2n, 3n] as const;

describe('A member that lags (§5.3, §7)', () => {
  it('is probed, replicated to, and sent a snapshot when it lacks too much: the story goes as on file', () => {
    const story = new Story('A member that lags is found, and gets what it lacks: entries, or the whole state', {
      size: 3,
    });
    const { cluster } = story;
    story.elect(a);
    story.goOn();
    story.tell('C is cut off, and misses two entries. A learns nothing of C and sends it nothing but heartbeats.');
    cluster.partition([a, b]);
    for (let count = 0; count < 2; count++) cluster.propose(a);
    story.about(c, () => {
      story.goOn();
    });
    story.tell('It is back. The next heartbeat asks whether it agrees (probe); from its answer on entries flow.');
    cluster.heal();
    story.about(c, () => {
      story.live(cluster.options.heartbeatIntervalMs);
      cluster.step(a, { kind: 'unreachable', peer: c });
      story.live(cluster.options.heartbeatIntervalMs + 2);
    });
    story.logs();
    story.tell('It is cut off again. A and B take three entries, apply them, and shorten their logs.');
    cluster.partition([a, b]);
    for (let count = 0; count < 3; count++) cluster.propose(a);
    story.about(c, () => {
      story.goOn();
    });
    cluster.step(a, { kind: 'unreachable', peer: c });
    for (const id of [a, b]) cluster.compact(id, 0);
    story.logs();
    story.tell('It is back. What it lacks is in no log any more.');
    cluster.heal();
    story.about(c, () => {
      story.live(3 * cluster.options.heartbeatIntervalMs);
    });
    story.tell('From there on it is sent entries again.');
    cluster.propose(a);
    story.about(c, () => {
      story.goOn();
    });
    story.logs();
    story.expectAsOnFile(join(__dirname, 'lagging-member.txt'));
    expect(cluster.checker.changes.installs).toBe(1);
    expect(cluster.seat(c).applied).toEqual(cluster.seat(a).applied);
  });
});
