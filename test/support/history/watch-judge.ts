/** Judges watches: each was told every change once, in order, and all of them the same. W1 to W5. */
import { changeLine } from './model';
import type { WatchedEvent, WatchLog } from './watch-log';

/** What a watch was told. */
export type Watched = Pick<WatchLog, 'name' | 'events'>;

/** @returns violations as sentences */
export function judgeWatches(logs: readonly Watched[]): readonly string[] {
  const [first, ...others] = logs;
  if (first === undefined) return ['nobody watched'];
  const lines = linesOf(first);
  return [...inOrder(first), ...others.flatMap((log) => difference(lines, first.name, log))];
}

/** Revisions never go back, leave none out, and tell each key once. */
function inOrder({ name, events }: Watched): readonly string[] {
  const told = new Set<string>();
  let last = 1;
  const violations: string[] = [];
  for (const { revision, record } of events) {
    if (revision !== last && revision !== last + 1)
      violations.push(`${name} is told ${String(revision)} after ${String(last)}`);
    const key = `${String(revision)} ${String(record.key)}`;
    if (told.has(key)) violations.push(`${name} is told ${key} twice`);
    told.add(key);
    last = revision;
  }
  return violations;
}

function difference(expected: readonly string[], by: string, log: Watched): readonly string[] {
  const lines = linesOf(log);
  const at = expected.findIndex((line, place) => line !== lines[place]);
  if (at < 0 && lines.length === expected.length) return [];
  const place = at < 0 ? expected.length : at;
  return [`${log.name} is told ${String(lines[place])} where ${by} is told ${String(expected[place])}`];
}

function linesOf({ events }: Watched): readonly string[] {
  return events.map((event) => `${String(event.revision)} ${changeLine(event)}`);
}

/** When each revision was first told by a watch. */
export function firstTold(logs: readonly Watched[]): ReadonlyMap<number, number> {
  const times = new Map<number, number>();
  const note = ({ revision, at }: WatchedEvent): void => {
    const known = times.get(revision);
    if (known === undefined || at < known) times.set(revision, at);
  };
  for (const { events } of logs) events.forEach(note);
  return times;
}
