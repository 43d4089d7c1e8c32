// What must not grow while a member is under load, and when it has.
import { median } from '../bench/compare/summary.mjs';

const MiB = 2 ** 20;

/** What fills up is judged by its peak, what jumps by its median. */
const filling = { of: peak, factor: 1.15 };
const jumping = { of: median, factor: 1.5 };
/** Where the state's write-ahead log is cut: 256 MiB, and what is written while the disk is slow. It keeps its length in between. */
const mostWalMiB = 320;

/**
 * All are plotted and judged: the last third of a run may exceed the middle third by `factor`, and by `slack` of its unit; and
 * nothing may ever exceed `most`.
 */
export const measures = [
  { title: 'Resident memory', unit: 'MiB', valueOf: ({ rssBytes }) => rssBytes / MiB, ...filling, slack: 16 },
  { title: 'Log on disk', unit: 'MiB', valueOf: ({ logBytes }) => logBytes / MiB, ...filling, slack: 8 },
  { title: 'State on disk', unit: 'MiB', valueOf: ({ stateBytes }) => stateBytes / MiB, ...filling, slack: 8 },
  {
    title: 'Write-ahead log of the state on disk',
    ...{ unit: 'MiB', valueOf: ({ walBytes }) => walBytes / MiB, ...filling, slack: mostWalMiB, most: mostWalMiB },
  },
  {
    title: 'Delay of the event loop, 99th percentile of the worst second',
    ...{ unit: 'ms', valueOf: ({ loopP99Ms }) => loopP99Ms, ...jumping, slack: 10 },
  },
  {
    title: 'Longest pause for garbage collection',
    ...{ unit: 'ms', valueOf: ({ gcMaxMs }) => gcMaxMs, ...jumping, slack: 30 },
  },
  { title: 'Time spent on garbage collection', unit: '%', valueOf: ({ gcPercent }) => gcPercent, ...jumping, slack: 3 },
];

function peak(values) {
  return Math.max(...values);
}

/** What has grown, as sentences; `samples` as soak.mjs takes them. */
export function growths(samples) {
  const third = (number) =>
    samples.slice(Math.floor((number * samples.length) / 3), Math.floor(((number + 1) * samples.length) / 3));
  return samples[0].members.flatMap(({ name }, member) =>
    measures.flatMap(({ title, unit, valueOf, of, factor, slack, most = Infinity }) => {
      const largest = peak(samples.map(({ members }) => valueOf(members[member])));
      if (largest > most) return [`${name}: ${title.toLowerCase()} reached ${largest.toFixed(1)} ${unit}`];
      const [middle, last] = [1, 2].map((number) => of(third(number).map(({ members }) => valueOf(members[member]))));
      if (last <= factor * middle + slack) return [];
      return [`${name}: ${title.toLowerCase()} rose from ${middle.toFixed(1)} to ${last.toFixed(1)} ${unit}`];
    }),
  );
}
