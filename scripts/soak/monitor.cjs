// Preloaded into a member (`node --require`): tells its parent each second how late its event loop was and how long it stood
// still for garbage. The member knows nothing of it.
const { monitorEventLoopDelay, PerformanceObserver } = require('node:perf_hooks');
const { isMainThread } = require('node:worker_threads');

/** Milliseconds: how often the loop is looked at, and how often it is told. */
const resolution = 5;
const everyMs = 1000;

if (isMainThread && process.send !== undefined) {
  const delay = monitorEventLoopDelay({ resolution });
  delay.enable();
  let pauses = [];
  new PerformanceObserver((list) => pauses.push(...list.getEntries().map(({ duration }) => duration))).observe({
    entryTypes: ['gc'],
  });
  const lateMs = (nanoseconds) => Math.max(0, nanoseconds / 1e6 - resolution);
  setInterval(() => {
    const loopP99Ms = lateMs(delay.percentile(99));
    const gcMs = pauses.reduce((sum, pause) => sum + pause, 0);
    process.send({ loopP99Ms, gcMs, gcMaxMs: Math.max(0, ...pauses) });
    delay.reset();
    pauses = [];
  }, everyMs).unref();
  // Neither the timer nor the channel keeps a member alive that has stopped.
  process.channel.unref();
}
