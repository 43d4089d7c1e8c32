/** Whoever must hear of every commit while there are watches is told that there are. */
import { defaultWatchHubOptions, WatchHub } from '../../../src/kv/watch-hub';
import { FakeHistory, FakeTurns } from '../../support/fake-history';

const anything = {
  range: { start: Buffer.of(), end: undefined },
  startRevision: 0,
  withoutPuts: false,
  withoutDeletes: false,
  withPrevious: false,
  onReady: () => undefined,
};

it('is told when the first watch opens and when the last one is cancelled', () => {
  const told: boolean[] = [];
  const hub = new WatchHub({
    ...{ reader: new FakeHistory(), scheduler: new FakeTurns(), options: defaultWatchHubOptions },
    onWatched: (isWatched) => void told.push(isWatched),
  });
  const watches = [hub.open(anything), hub.open(anything)];
  watches[0]?.cancel();
  expect(told).toEqual([true]);
  watches[1]?.cancel();
  watches[1]?.cancel();
  expect(told).toEqual([true, false]);
  hub.open(anything);
  expect(told).toEqual([true, false, true]);
});
