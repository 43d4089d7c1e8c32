/** What a watch promises, W1 to W10, one test for each, and what it costs the others. */
import { required } from '../../../src/base/assert';
import { defaultWatchHubOptions, WatchHub, type WatchHubOptions } from '../../../src/kv/watch-hub';
import type { Watch, WatchBatch, WatchRequest } from '../../../src/kv/watch';
import { FakeHistory, FakeTurns } from '../../support/fake-history';

const plentyBytes = 1 << 30;

function setUp(options: Partial<WatchHubOptions> = {}) {
  const history = new FakeHistory();
  const turns = new FakeTurns();
  const hub = new WatchHub({ reader: history, scheduler: turns, options: { ...defaultWatchHubOptions, ...options } });
  history.listener = hub;
  return { history, turns, hub, ...openers(hub) };
}

function openers(hub: WatchHub) {
  const open = (request: Partial<WatchRequest> & { readonly prefix?: string } = {}) => {
    const { prefix = '', ...more } = request;
    const end = prefix === '' ? undefined : Buffer.from(`${prefix.slice(0, -1)}${next(prefix.at(-1) ?? '')}`);
    const onReady = jest.fn();
    const standard = { startRevision: 0, withoutPuts: false, withoutDeletes: false, withPrevious: false };
    const watch = hub.open({ range: { start: Buffer.from(prefix), end }, onReady, ...standard, ...more });
    return { watch, onReady };
  };
  return { open };
}

const next = (character: string) => String.fromCharCode(character.charCodeAt(0) + 1);

const put = (key: string, value = 'v') => ({ key, value });
const del = (key: string) => ({ key });

/** A batch in words: `revision: key=value key-`. */
function told(batch: WatchBatch | undefined): string {
  if (batch === undefined) return 'nothing';
  if (batch.kind === 'compacted') return `compacted at ${batch.compactRevision}`;
  const events = batch.events.map(({ change, previous }) => {
    const { key, value } = change.record;
    const what = `${String(change.revision)}:${text(key)}${change.kind === 'put' ? `=${text(value)}` : '-'}`;
    return previous === undefined ? what : `${what}(${text(previous.value)})`;
  });
  return `${events.join(' ')} |${batch.revision}`;
}

const text = (bytes: Uint8Array) => Buffer.from(bytes).toString();

/** Takes what there is now. */
const takeNow = (watch: Watch) => drain(watch, new FakeTurns());

/** Takes all there is, with the turns that it needs. */
function drain(watch: Watch, turns: FakeTurns, maxBytes = plentyBytes): string[] {
  const all: string[] = [];
  for (;;) {
    const batch = watch.take(maxBytes);
    if (batch !== undefined) all.push(told(batch));
    if (batch?.kind === 'compacted') return all;
    if (batch !== undefined) continue;
    if (turns.isIdle) return all;
    turns.settle();
  }
}

describe('WatchHub', () => {
  it('W1 ordered: revisions ascend from the history into what is live', () => {
    const { history, turns, open } = setUp({ catchUpChanges: 2 });
    history.commit([put('a')], [put('b')], [put('c')], [put('d')], [put('e')]);
    const { watch } = open({ startRevision: 3 });
    expect(watch.take(plentyBytes)).toBeUndefined();
    turns.end();
    history.commit([put('f')]);
    expect(
      drain(watch, turns)
        .join(' ')
        .match(/\d+(?=:)/g)
        ?.map(Number),
    ).toEqual([3, 4, 5, 6, 7]);
  });

  it('W2 unique: what was queued when the reader fell behind is not told again', () => {
    const { history, turns, open } = setUp({ maxQueuedBytes: 600 });
    const { watch } = open();
    history.commit([put('a')], [put('b')]);
    expect(told(watch.take(1))).toBe('2:a=v |2');
    history.commit([put('c')], [put('d')], [put('e')]);
    expect(watch.revision).toBe(2);
    expect(drain(watch, turns)).toEqual(['3:b=v 4:c=v 5:d=v |5', '6:e=v |6']);
  });

  it('W3 reliable: a range gets every change within it and none beside it', () => {
    const { history, turns, open } = setUp();
    const { watch } = open({ prefix: 'p/' });
    const single = open({ range: { start: Buffer.from('p/b'), end: Buffer.from('p/b\0') } });
    history.commit([put('p'), put('p/'), put('p/a')], [put('p/b'), put('p0')], [del('p/a')], [put('p/b\0')]);
    expect(drain(watch, turns)).toEqual(['2:p/=v 2:p/a=v 3:p/b=v 4:p/a- 5:p/b\0=v |5']);
    expect(drain(single.watch, turns)).toEqual(['3:p/b=v |5']);
  });

  it('gives as many whole revisions as fit', () => {
    const { history, open } = setUp();
    const { watch } = open();
    // Three bytes each.
    history.commit(...Array.from({ length: 5 }, () => [put('a', '12')]));
    const bites = Array.from({ length: 3 }, () => told(watch.take(7)));
    expect(bites).toEqual(['2:a=12 3:a=12 |3', '4:a=12 5:a=12 |5', '6:a=12 |6']);
  });

  it('W4 atomic: a revision is never split, however small the bite', () => {
    const { history, turns, open } = setUp({ maxQueuedBytes: 300, catchUpChanges: 1 });
    const live = open();
    history.commit([put('a'), put('b')], [put('c')]);
    expect(drain(live.watch, turns, 1)).toEqual(['2:a=v 2:b=v |2', '3:c=v |3']);
    const old = open({ startRevision: 2 });
    expect(drain(old.watch, turns, 1)).toEqual(['2:a=v 2:b=v |2', '3:c=v |3']);
  });

  it('W5 resumable: from any revision not compacted, the compacted one included; below it, told so', () => {
    const { history, turns, open } = setUp();
    history.commit([put('a', '1')], [del('a')], [put('a', '2')]);
    history.compact(3);
    expect(drain(open({ startRevision: 3 }).watch, turns)).toEqual(['3:a- 4:a=2 |4']);
    expect(drain(open({ startRevision: 2 }).watch, turns)).toEqual(['compacted at 3']);
  });

  it('W5 resumable: a slow reader whose revisions are compacted meanwhile is told so, not skipped', () => {
    const { history, turns, open } = setUp({ maxQueuedBytes: 300 });
    const { watch, onReady } = open();
    history.commit([put('a')], [put('b')], [put('c')]);
    history.compact(4);
    expect(drain(watch, turns)).toEqual(['compacted at 4']);
    expect(onReady).toHaveBeenCalledTimes(1);
    expect(told(watch.take(1))).toBe('compacted at 4');
  });

  it('W6 bookmarkable: the revision is behind what is queued, and moves on with what others write', () => {
    const { history, turns, open } = setUp();
    const { watch } = open({ prefix: 'p' });
    expect([watch.revision, watch.isSynced]).toEqual([1, true]);
    history.commit([put('x')], [put('y')]);
    expect([watch.revision, watch.isSynced]).toEqual([3, true]);
    history.commit([put('p')], [put('z')]);
    expect([watch.revision, watch.isSynced]).toEqual([3, false]);
    expect(drain(watch, turns)).toEqual(['4:p=v |5']);
    expect([watch.revision, watch.isSynced]).toEqual([5, true]);
  });

  it('W6 bookmarkable: a watch that reads history is not synced before all of it was taken', () => {
    const { history, turns, open } = setUp({ catchUpChanges: 1 });
    history.commit([put('a')], [put('b')], [put('a')]);
    const { watch } = open({ prefix: 'a', startRevision: 2 });
    const seen: unknown[] = [];
    for (;;) {
      seen.push([watch.revision, watch.isSynced]);
      if (watch.take(plentyBytes) === undefined && turns.isIdle) break;
      turns.end();
    }
    expect(seen.filter((one, at) => JSON.stringify(one) !== JSON.stringify(seen[at - 1]))).toEqual([
      [1, false],
      [2, false],
      [3, false],
      [4, true],
    ]);
  });

  it('W7: filters leave out puts or deletes; the previous record is told with updates and deletes', () => {
    const { history, turns, open } = setUp();
    const puts = open({ withoutDeletes: true });
    const deletes = open({ withoutPuts: true, withPrevious: true });
    const all = open({ withPrevious: true });
    history.commit([put('a', '1')], [put('a', '2')], [del('a')], [put('a', '3')]);
    expect(drain(puts.watch, turns)).toEqual(['2:a=1 3:a=2 5:a=3 |5']);
    expect(drain(deletes.watch, turns)).toEqual(['4:a-(2) |5']);
    expect(drain(all.watch, turns)).toEqual(['2:a=1 3:a=2(1) 4:a-(2) 5:a=3 |5']);
    history.compact(4);
    expect(drain(open({ startRevision: 4, withPrevious: true }).watch, turns)).toEqual(['4:a- 5:a=3 |5']);
  });

  it('W8: a start revision in the future is waited for, and nothing earlier is told (etcd #20221)', () => {
    const { history, turns, open } = setUp();
    const { watch } = open({ startRevision: 4 });
    expect([watch.revision, watch.isSynced, watch.startRevision]).toEqual([3, true, 4]);
    history.commit([put('a')]);
    history.replace([put('b')]);
    expect(watch.revision).toBe(3);
    history.commit([put('c')], [put('d')]);
    expect(drain(watch, turns)).toEqual(['4:c=v 5:d=v |5']);
    expect(history.reads).toBe(0);
  });

  it('W9: a reader that takes nothing costs its budget at most, and loses nothing', () => {
    const { history, turns, hub, open } = setUp({ maxQueuedBytes: 1000, catchUpBytes: 500 });
    const slow = Array.from({ length: 10 }, () => open());
    let most = 0;
    for (let at = 0; at < 100; at++) {
      history.commit([put(`k${String(at)}`, 'x'.repeat(50))]);
      most = Math.max(most, hub.totalQueuedBytes);
    }
    expect(most).toBeGreaterThan(500);
    expect(most).toBeLessThan(1400);
    for (const { watch } of slow) expect(drain(watch, turns).join(' ').match(/:k/g)).toHaveLength(100);
    expect(hub.totalQueuedBytes).toBe(0);
  });

  it('W9: all queues together have a bound; who has taken nothing for longest is parked first', () => {
    const { history, turns, hub, open } = setUp({ maxTotalQueuedBytes: 1000 });
    const first = open({ prefix: 'a' });
    const second = open({ prefix: 'b' });
    history.commit([put('a')], [put('a')], [put('b')]);
    expect(hub.totalQueuedBytes).toBeGreaterThan(700);
    history.commit([put('b')]);
    expect(hub.totalQueuedBytes).toBeLessThan(700);
    expect(drain(second.watch, turns)).toEqual(['4:b=v 5:b=v |5']);
    expect(history.reads).toBe(0);
    expect(drain(first.watch, turns)).toEqual(['2:a=v 3:a=v |5']);
    expect(history.reads).toBeGreaterThan(0);
  });

  it('W10: after a snapshot took the place of the state, a watch goes on from where it was (etcd #15271)', () => {
    const { history, turns, open } = setUp();
    const { watch } = open();
    history.commit([put('a')], [put('b')]);
    expect(told(watch.take(1))).toBe('2:a=v |2');
    history.replace([put('c')], [put('d')]);
    expect([watch.revision, watch.isSynced]).toEqual([2, false]);
    expect(drain(watch, turns)).toEqual(['3:b=v |3', '4:c=v 5:d=v |5']);
    history.commit([put('e')]);
    expect(drain(watch, turns)).toEqual(['6:e=v |6']);
  });

  it('W10: after a snapshot without its revisions, a watch is told that they are compacted', () => {
    const { history, turns, open } = setUp();
    const { watch, onReady } = open();
    watch.take(1);
    history.replace([put('a')], [put('b')]);
    history.compact(3);
    turns.settle();
    expect(onReady).toHaveBeenCalledTimes(1);
    expect(drain(watch, turns)).toEqual(['compacted at 3']);
  });

  it('W10: a watch that resumes on a member with an older state waits for its revision', () => {
    const { history, turns, open } = setUp();
    history.commit([put('a')]);
    const { watch } = open({ startRevision: 9 });
    history.commit(...Array.from({ length: 8 }, () => [put('a')]));
    expect(drain(watch, turns)).toEqual(['9:a=v 10:a=v |10']);
  });

  it('calls a reader once after it found nothing, in a later turn, and not in vain', () => {
    const { history, turns, open } = setUp();
    const { watch, onReady } = open();
    history.commit([put('a')]);
    turns.settle();
    expect(onReady).not.toHaveBeenCalled();
    watch.take(plentyBytes);
    watch.take(plentyBytes);
    history.commit([put('b')]);
    expect(onReady).not.toHaveBeenCalled();
    history.commit([put('c')]);
    turns.settle();
    history.commit([put('d')]);
    turns.settle();
    expect(onReady).toHaveBeenCalledTimes(1);
  });

  it('calls a bounded number of readers in a turn', () => {
    const { history, turns, open } = setUp({ maxCallsPerTurn: 3 });
    const watches = Array.from({ length: 7 }, () => open());
    for (const { watch } of watches) watch.take(1);
    history.commit([put('a')]);
    const called = () => watches.filter(({ onReady }) => onReady.mock.calls.length > 0).length;
    const perTurn: number[] = [];
    for (; !turns.isIdle; perTurn.push(called())) turns.end();
    expect(perTurn).toEqual([3, 6, 7]);
  });

  it('rests after a long round, so that what happens meanwhile is one batch', () => {
    const { history, turns, open } = setUp({ maxCallsPerTurn: 1, restAfterCalls: 4 });
    const watches = Array.from({ length: 4 }, () => open());
    for (const { watch } of watches) takeNow(watch);
    history.commit([put('a')]);
    turns.settle();
    for (const { watch } of watches) takeNow(watch);
    for (const key of ['b', 'c', 'd']) {
      history.commit([put(key)]);
      turns.end();
    }
    turns.end();
    expect(watches.map(({ onReady }) => onReady.mock.calls.length)).toEqual([2, 1, 1, 1]);
    for (const { watch } of watches) expect(takeNow(watch)).toEqual(['3:b=v 4:c=v 5:d=v |5']);
  });

  describe('in a rest', () => {
    /** Four watches have just been called, one in each turn, and wait again. */
    function rest(options: Partial<WatchHubOptions>) {
      const all = setUp({ maxCallsPerTurn: 1, restAfterCalls: 4, ...options });
      const watches = Array.from({ length: 4 }, () => all.open({ prefix: 'a' }));
      const called = () => watches.reduce((sum, { onReady }) => sum + onReady.mock.calls.length, 0) - watches.length;
      for (const { watch } of watches) takeNow(watch);
      all.history.commit([put('a')]);
      all.turns.settle();
      for (const { watch } of watches) takeNow(watch);
      return { ...all, called };
    }

    it('calls readers for which more than a message waits; one that is slow is no reason to hurry', () => {
      const { history, turns, open, called } = rest({ maxRestingBytes: 1000 });
      open({ prefix: 's' });
      history.commit([put('a')], [put('s', 'v'.repeat(1000))]);
      turns.end();
      expect(called()).toBe(0);
      history.commit([put('a', 'v'.repeat(1000))]);
      turns.end();
      expect(called()).toBe(1);
    });

    it('calls readers for which much history was read', () => {
      const { history, turns, open } = rest({ maxRestingBytes: 1000 });
      history.commit([put('b', 'v'.repeat(1000))]);
      const behind = open({ startRevision: 3 });
      takeNow(behind.watch);
      // Read in the first turn, called in the second.
      turns.end();
      turns.end();
      expect(behind.onReady).toHaveBeenCalledTimes(1);
    });

    it('calls readers when the queues of all watches are too long together', () => {
      const { history, turns, called } = rest({ maxTotalQueuedBytes: 600 });
      history.commit([put('a')], [put('a')]);
      turns.end();
      expect(called()).toBe(0);
      history.commit([put('a')]);
      turns.end();
      expect(called()).toBe(1);
    });
  });

  it('reads the history once for watches at the same place, and in bounded chunks', () => {
    const { history, turns, open } = setUp({ catchUpChanges: 10 });
    history.commit(...Array.from({ length: 100 }, () => [put('a')]));
    const watches = Array.from({ length: 50 }, () => open({ startRevision: 2, prefix: 'b' }));
    for (const { watch } of watches) watch.take(1);
    turns.settle();
    expect(history.reads).toBe(10);
    expect(watches.every(({ watch }) => watch.isSynced)).toBe(true);
  });

  it('lets a watch with a short way go before one with a long way', () => {
    const { history, turns, open } = setUp({ catchUpChanges: 10 });
    history.commit(...Array.from({ length: 1000 }, () => [put('a')]));
    const far = Array.from({ length: 5 }, (_, at) => open({ startRevision: 2 + at, prefix: 'b' }));
    const near = open({ startRevision: 995 });
    for (const { watch } of [...far, near]) watch.take(1);
    for (let turn = 0; turn < 8; turn++) turns.end();
    expect(near.onReady).toHaveBeenCalledTimes(1);
    expect(far[0]?.watch.isSynced).toBe(false);
  });

  it('gives all watches the same object for the same event', () => {
    const { history, open } = setUp();
    const [a, b, c] = [open(), open({ prefix: 'a' }), open({ withPrevious: true })];
    history.commit([put('a', '1')]);
    history.commit([put('a', '2')]);
    const events = [a, b, c].map(({ watch }) => {
      const batch = required(watch.take(plentyBytes), 'there are events');
      return batch.kind === 'events' ? batch.events : [];
    });
    expect(events[1]?.[0]).toBe(events[0]?.[0]);
    expect(events[1]?.[1]).toBe(events[0]?.[1]);
    // A create has no previous record, so that all forms of it are the same.
    expect(events[2]?.[0]).toBe(events[0]?.[0]);
    expect(events[2]?.[1]).not.toBe(events[0]?.[1]);
  });

  it('tells nothing to a cancelled watch, gives its place back, and refuses more than there may be', () => {
    const { history, turns, hub, open } = setUp({ maxWatches: 2 });
    const { watch, onReady } = open();
    const behind = open({ startRevision: 1 });
    expect(() => open()).toThrow('this member has as many watches as it may: 2 at a time');
    watch.take(1);
    behind.watch.take(1);
    history.commit([put('a')]);
    watch.cancel();
    watch.cancel();
    behind.watch.cancel();
    history.commit([put('b')]);
    turns.settle();
    expect(onReady).not.toHaveBeenCalled();
    expect(watch.take(1)).toBeUndefined();
    expect([hub.size, hub.totalQueuedBytes]).toEqual([0, 0]);
  });
});
