/** Parsers of arguments and options that several verbs have. */
import { InvalidArgumentError, Option, type Command } from 'commander';
import type { Selection } from '../client';

/** A parser of whole numbers within bounds. */
export function wholeNumber(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= min && value <= max) return value;
    throw new InvalidArgumentError(`It must be a whole number from ${String(min)} to ${String(max)}.`);
  };
}

/** A revision of the store. */
export const revisionNumber = wholeNumber(1, Number.MAX_SAFE_INTEGER);

const unitsMs: ReadonlyMap<string, number> = new Map([
  ['ms', 1],
  ['s', 1_000],
  ['m', 60_000],
  ['h', 3_600_000],
  ['d', 86_400_000],
]);

/** A duration with its unit, such as `500ms`, `30s`, `1.5h`; in milliseconds. */
export function duration(text: string): number {
  const [, number, unit = ''] = /^(\d{1,9}(?:\.\d{1,3})?)(ms|s|m|h|d)$/.exec(text) ?? [];
  const unitMs = unitsMs.get(unit);
  const value = Number(number) * (unitMs ?? Number.NaN);
  if (value > 0) return value;
  throw new InvalidArgumentError('It must be a number above 0 with a unit: ms, s, m, h or d, such as 30s.');
}

/** The id of a lease: a decimal number of 64 bits, as other verbs print it. */
export function leaseId(text: string): bigint {
  const id = /^-?\d{1,19}$/.test(text) ? BigInt(text) : 0n;
  if (id !== 0n && BigInt.asIntN(64, id) === id) return id;
  throw new InvalidArgumentError('It must be the id of a lease: a whole number of 64 bits, not 0.');
}

/** The id of a member: a decimal number of 64 bits, as other verbs print it. */
export function memberId(text: string): bigint {
  const id = /^\d{1,20}$/.test(text) ? BigInt(text) : 0n;
  if (id !== 0n && BigInt.asUintN(64, id) === id) return id;
  throw new InvalidArgumentError('It must be the id of a member: a whole number of 64 bits, not 0.');
}

/** The options that select keys. */
export interface SelectionOptions {
  readonly prefix?: string;
  readonly start?: string;
  readonly end?: string;
}

/** Adds the options that select keys. */
export function addSelectionOptions(command: Command): Command {
  return command
    .option('--prefix <text>', 'only keys that begin with this')
    .option('--start <key>', 'from this key on, inclusive')
    .option('--end <key>', 'up to this key, exclusive');
}

/** Which keys the options select; `undefined` if they contradict each other. */
export function selectionOf({ prefix, start, end }: SelectionOptions): Selection | undefined {
  if (start === undefined && end === undefined) {
    return prefix === undefined ? { kind: 'all' } : { kind: 'prefix', prefix };
  }
  return prefix === undefined ? { kind: 'range', start: start ?? '', end: end ?? '' } : undefined;
}

/** What a usage error says when they do. */
export const contradictingSelection = 'error: give either --prefix, or --start and --end, not both';

/** What reads can be told. */
export interface ReadCommandOptions {
  readonly consistency: 'linearizable' | 'stale';
  readonly maxStaleness?: number;
  readonly minRevision?: number;
}

/** Adds the options that reads have. */
export function addReadOptions(command: Command): Command {
  return command
    .addOption(
      new Option(
        '--consistency <kind>',
        "linearizable (reflects every acknowledged write; needs a quorum) or stale (a member's own copy)",
      )
        .choices(['linearizable', 'stale'])
        .default('linearizable'),
    )
    .option(
      '--max-staleness <duration>',
      'stale, but reflects everything acknowledged longer ago, such as 5s',
      duration,
    )
    .option('--min-revision <n>', 'stale, but reflects this revision at least', revisionNumber);
}

/** What the client is told of them. A bound on staleness means a stale read. */
export function readOptionsOf({ consistency, maxStaleness, minRevision }: ReadCommandOptions): {
  consistency: 'linearizable' | 'stale';
  maxStalenessMs?: number;
  minRevision?: number;
} {
  const isStale = consistency === 'stale' || maxStaleness !== undefined || minRevision !== undefined;
  return {
    consistency: isStale ? 'stale' : 'linearizable',
    ...(maxStaleness === undefined ? {} : { maxStalenessMs: maxStaleness }),
    ...(minRevision === undefined ? {} : { minRevision }),
  };
}

/** The option that names a change, so that it can be repeated safely, also by another program. */
export function requestIdOption(): Option {
  return new Option(
    '--request-id <uuid>',
    'names this change (UUID version 7): repeated with the same id it is done once. Default: a new one for each run',
  );
}

/** Only what is given: an option that is `undefined` is left out. */
export function given<T extends object>(options: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  const entries = Object.entries(options).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as { [K in keyof T]?: Exclude<T[K], undefined> };
}
