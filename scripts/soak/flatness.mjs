// What must not grow while a member is under load, and when it has.

const MiB = 2 ** 20;

/**
 * Each is plotted, and those with a `factor` are judged: the last third of a run may exceed the middle third by that factor,
 * and by `slack` of its unit. `of` tells what stands for a third: its peak for what fills up, its median for what jumps.
 */
export const measures = [
  {
    title: 'Resident memory',
    unit: 'MiB',
    valueOf: ({ rssBytes }) => rssBytes / MiB,
    of: peak,
    factor: 1.15,
    slack: 16,
  },
  { title: 'Log on disk', unit: 'MiB', valueOf: ({ logBytes }) => logBytes / MiB, of: peak, factor: 1.15, slack: 8 },
  {
    title: 'State on disk',
    unit: 'MiB',
    valueOf: ({ stateBytes }) => stateBytes / MiB,
    of: peak,
    factor: 1.15,
    slack: 8,
  },
  {
    title: 'Delay of the event loop, 99th percentile of the worst second',
    ...{ unit: 'ms', valueOf: ({ loopP99Ms }) => loopP99Ms, of: median, factor: 1.5, slack: 10 },
  },
  {
    title: 'Longest pause for garbage collection',
    ...{ unit: 'ms', valueOf: ({ gcMaxMs }) => gcMaxMs, of: median, factor: 1.5, slack: 10 },
  },
  {
    title: 'Time spent on garbage collection',
    unit: '%',
    valueOf: ({ gcPercent }) => gcPercent,
    of: median,
    factor: 1.5,
    slack: 3,
  },
];

function peak(values) {
  return Math.max(...values);
}

function median(values) {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
}

/** What has grown, as sentences; `samples` as soak.mjs takes them. */
export function growths(samples) {
  const third = (number) =>
    samples.slice(Math.floor((number * samples.length) / 3), Math.floor(((number + 1) * samples.length) / 3));
  return samples[0].members.flatMap(({ name }, member) =>
    measures.flatMap(({ title, unit, valueOf, of, factor, slack }) => {
      const [middle, last] = [1, 2].map((number) => of(third(number).map(({ members }) => valueOf(members[member]))));
      if (last <= factor * middle + slack) return [];
      return [`${name}: ${title.toLowerCase()} rose from ${middle.toFixed(1)} to ${last.toFixed(1)} ${unit}`];
    }),
  );
}
