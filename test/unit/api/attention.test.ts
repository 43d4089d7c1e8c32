/** When a member wants to hear of every commit at once. */
import { Attention } from '../../../src/api/attention';
import { FakeTime } from '../../support/fake-time';

function setUp() {
  const time = new FakeTime();
  const told: boolean[] = [];
  const attention = new Attention({ scheduler: time, onChange: (isWanted) => void told.push(isWanted) });
  return { time, told, attention };
}

it('wants it from the first stale read on, until none has come for five seconds', async () => {
  const { time, told, attention } = setUp();
  attention.onStaleRead();
  expect(told).toEqual([true]);
  for (let count = 0; count < 3; count++) {
    await time.pass(4_000);
    attention.onStaleRead();
  }
  expect(told).toEqual([true]);
  await time.pass(10_000);
  expect(told).toEqual([true, false]);
  expect(time.timers).toBe(0);
  attention.onStaleRead();
  expect(told).toEqual([true, false, true]);
});

it('wants it as long as there are watches, and a little longer', async () => {
  const { time, told, attention } = setUp();
  attention.onWatched(true);
  await time.pass(60_000);
  expect(told).toEqual([true]);
  attention.onWatched(false);
  await time.pass(5_000);
  expect(told).toEqual([true, false]);
});
