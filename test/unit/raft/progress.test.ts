import { Progress } from '../../../src/raft/progress';
import { testOptions } from '../../support/raft';

const limits = { ...testOptions, maxInflightAppends: 3, maxInflightBytes: 100 };

/** A peer of a leader whose log ended at 10 when it was elected, at time 0. */
function probing(): Progress {
  return new Progress(2n, 11, 0);
}

/** The same after the peer said that it holds everything up to 10. */
function replicating(): Progress {
  const progress = probing();
  progress.onMatched(10, 0, 0);
  return progress;
}

describe('Progress while probing', () => {
  it('starts just after the leader’s log and knows nothing', () => {
    expect(probing()).toMatchObject({ state: 'probe', nextIndex: 11, matchIndex: 0 });
  });

  it('sends one message and waits', () => {
    const progress = probing();
    expect(progress.maySendEntries(limits)).toBe(true);
    progress.onSent(12, 10, 0);
    expect(progress.maySendEntries(limits)).toBe(false);
    expect(progress.nextIndex).toBe(11);
  });

  it('pipelines once the place in question is found to match', () => {
    const progress = probing();
    progress.onSent(12, 10, 0);
    progress.onMatched(12, 5, 0);
    expect(progress).toMatchObject({ state: 'replicate', matchIndex: 12, nextIndex: 13 });
    expect(progress.maySendEntries(limits)).toBe(true);
  });

  it('an answer about less than the place in question does not end it', () => {
    const progress = probing();
    progress.onMatched(4, 5, 0);
    expect(progress).toMatchObject({ state: 'probe', matchIndex: 4, nextIndex: 11 });
  });

  it('goes back to where the logs may agree', () => {
    const progress = probing();
    progress.onSent(11, 10, 0);
    expect(progress.onRejected(10, 6)).toBe(true);
    expect(progress).toMatchObject({ state: 'probe', nextIndex: 7 });
    expect(progress.maySendEntries(limits)).toBe(true);
  });

  it('goes back at least one place, whatever the hint says', () => {
    const progress = probing();
    progress.onRejected(10, 10);
    expect(progress.nextIndex).toBe(10);
  });

  it('never goes back below what matches', () => {
    const progress = probing();
    progress.onMatched(4, 0, 0);
    progress.onRejected(10, 2);
    expect(progress.nextIndex).toBe(5);
  });

  it('ignores refusals of other places than the one in question', () => {
    const progress = probing();
    expect(progress.onRejected(9, 3)).toBe(false);
    expect(progress.onRejected(15, 3)).toBe(false);
    expect(progress.nextIndex).toBe(11);
  });

  it('keeps the place in question when the connection is lost, and leaves it to the next heartbeat to ask again', () => {
    const progress = probing();
    progress.onSent(11, 10, 0);
    progress.onLost();
    expect(progress).toMatchObject({ state: 'probe', nextIndex: 11 });
    expect(progress.maySendEntries(limits)).toBe(false);
  });
});

describe('Progress while replicating', () => {
  it('sends on without waiting, up to the number of messages allowed', () => {
    const progress = replicating();
    for (const last of [11, 12, 13]) {
      expect(progress.maySendEntries(limits)).toBe(true);
      progress.onSent(last, 1, 0);
    }
    expect(progress.nextIndex).toBe(14);
    expect(progress.maySendEntries(limits)).toBe(false);
  });

  it('up to the number of bytes allowed', () => {
    const progress = replicating();
    progress.onSent(11, 99, 0);
    expect(progress.maySendEntries(limits)).toBe(true);
    progress.onSent(12, 1, 0);
    expect(progress.maySendEntries(limits)).toBe(false);
  });

  it('frees what one answer covers, which may be several messages or a part of none', () => {
    const progress = replicating();
    progress.onSent(12, 50, 0);
    progress.onSent(14, 30, 0);
    progress.onSent(16, 40, 0);
    progress.onMatched(11, 1, 0);
    expect(progress.maySendEntries(limits)).toBe(false);
    progress.onMatched(15, 2, 0);
    expect(progress.maySendEntries(limits)).toBe(true);
    expect(progress.hasInflight).toBe(true);
    progress.onMatched(16, 3, 0);
    expect(progress.hasInflight).toBe(false);
  });

  it('lets old answers take nothing back', () => {
    const progress = replicating();
    progress.onSent(12, 1, 0);
    progress.onMatched(12, 5, 0);
    progress.onMatched(11, 9, 0);
    expect(progress).toMatchObject({ matchIndex: 12, nextIndex: 13, lastProgressAt: 5 });
  });

  it('probes again, with nothing in flight, after a refusal', () => {
    const progress = replicating();
    progress.onSent(12, 60, 0);
    progress.onSent(13, 60, 0);
    expect(progress.onRejected(12, 11)).toBe(true);
    expect(progress).toMatchObject({ state: 'probe', nextIndex: 12, hasInflight: false });
    expect(progress.maySendEntries(limits)).toBe(true);
  });

  it('goes back to what matches when the connection is lost, and lets the next heartbeat ask', () => {
    const progress = replicating();
    progress.onSent(13, 120, 0);
    progress.onLost();
    expect(progress).toMatchObject({ state: 'probe', nextIndex: 11, hasInflight: false });
    expect(progress.maySendEntries(limits)).toBe(false);
    progress.onMatched(10, 5, 0);
    expect(progress).toMatchObject({ state: 'replicate', nextIndex: 11 });
    expect(progress.maySendEntries(limits)).toBe(true);
  });

  it('begins from nothing with a peer that lost what it acknowledged', () => {
    const progress = replicating();
    progress.onEntriesLost(3);
    expect(progress).toMatchObject({ state: 'probe', matchIndex: 0, nextIndex: 4, probeSent: false });
  });

  it('counts as progress only what moves, and the first message after silence', () => {
    const progress = replicating();
    progress.onSent(11, 1, 50);
    expect(progress.lastProgressAt).toBe(50);
    progress.onSent(12, 1, 60);
    expect(progress.lastProgressAt).toBe(50);
    progress.onMatched(11, 70, 0);
    expect(progress.lastProgressAt).toBe(70);
    progress.onMatched(11, 80, 0);
    expect(progress.lastProgressAt).toBe(70);
  });

  it('waits while entries are being read from storage', () => {
    const progress = replicating();
    progress.loading = true;
    expect(progress.maySendEntries(limits)).toBe(false);
  });
});
