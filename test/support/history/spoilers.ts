/** Lies put into a history, each of which the judges must notice: a judge that never objects proves nothing. */
import type { ReadAnswer } from '../../../src/sim/workload/call';
import type { RecordedCall } from './recorded-call';
import type { Watched } from './watch-judge';

export interface History {
  readonly calls: readonly RecordedCall[];
  readonly watches: readonly Watched[];
}

/** The beginning of a history, up to a revision: short, and complete in itself. */
export function beginningOf({ calls, watches }: History, revision: number): History {
  const until = Math.min(
    ...watches.flatMap(({ events }) => events.find((event) => event.revision > revision)?.at ?? []),
  );
  // Watchers may be told late. What was refused may have been so because of what came after the beginning, unless it was over
  // before anybody asked for that.
  const beyond = calls.reduce(
    (first, { outcome, answer, invokedAt }) =>
      outcome === 'ok' && (answer?.revision ?? 0) > revision ? Math.min(first, invokedAt) : first,
    until,
  );
  const isWithin = ({ kind, outcome, answer, invokedAt, returnedAt }: RecordedCall): boolean => {
    if (outcome === 'ok' && answer !== undefined && kind !== 'compact') return answer.revision <= revision;
    return outcome === 'ambiguous' || kind === 'compact' ? invokedAt < until : returnedAt < beyond;
  };
  return {
    calls: calls.filter(isWithin),
    watches: watches.map(({ name, events }) => ({
      name,
      events: events.filter((event) => event.revision <= revision),
    })),
  };
}

/** By what each of them pretends. */
export const spoilers: ReadonlyMap<string, (history: History) => History> = new Map([
  ['a get misses what is there', change(isHit, (call) => ({ ...call, answer: { ...read(call), found: [] } }))],
  [
    'a stale get is older than it may be',
    change(
      ({ kind, outcome }) => kind === 'stale get' && outcome === 'ok',
      (call) => ({ ...call, minRevision: read(call).revision + 1 }),
    ),
  ],
  ['a put that was done was refused', change(isPut, (call) => ({ ...call, outcome: 'definite', answer: undefined }))],
  [
    'a put is told another version',
    change(isPut, (call) => {
      return call.answer?.kind === 'put'
        ? { ...call, answer: { ...call.answer, version: call.answer.version + 1 } }
        : call;
    }),
  ],
  ['an answered put was made after its effect was seen', change(isPut, (call) => ({ ...call, ...late }))],
  ['a watch loses an event', ({ calls, watches }) => ({ calls, watches: watches.map(withoutOne) })],
  ['a watch repeats an event', ({ calls, watches }) => ({ calls, watches: watches.map(withOneTwice) })],
]);

const late = { invokedAt: 1e12, returnedAt: 1e12 };

function isHit({ kind, outcome, answer }: RecordedCall): boolean {
  return kind === 'get' && outcome === 'ok' && answer?.kind === 'read' && answer.found.length > 0;
}

function isPut({ kind, api, outcome }: RecordedCall): boolean {
  return kind === 'put' && api === 'native' && outcome === 'ok';
}

function read({ answer }: RecordedCall): ReadAnswer {
  if (answer?.kind !== 'read') throw new Error('a get is answered by what was read');
  return answer;
}

/** Changes the middle one of the calls that are meant. */
function change(isMeant: (call: RecordedCall) => boolean, spoil: (call: RecordedCall) => RecordedCall) {
  return ({ calls, watches }: History): History => {
    const meant = calls.filter(isMeant);
    const chosen = meant[Math.floor(meant.length / 2)];
    if (chosen === undefined) throw new Error('there is a call to spoil');
    return { calls: calls.map((call) => (call === chosen ? spoil(call) : call)), watches };
  };
}

function withoutOne({ name, events }: Watched, at: number): Watched {
  const place = Math.floor(events.length / 2);
  return at === 1 ? { name, events: events.filter((_, each) => each !== place) } : { name, events };
}

function withOneTwice({ name, events }: Watched, at: number): Watched {
  const place = Math.floor(events.length / 2);
  return at === 1 ? { name, events: [...events.slice(0, place), ...events.slice(place - 1)] } : { name, events };
}
