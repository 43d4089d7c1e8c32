/** What was compared, by kind: a run that did too little of one kind shows nothing about it. */
import type { Outcome, Step } from './step';
import type { WatchStream } from './watch-stream';

/** Counts of steps, but for watches: of the first server's watches and of what they were told. */
export interface Volume {
  calls: number;
  errors: number;
  /** Refused for their size, by the server or by gRPC. */
  tooLarge: number;
  tooManyOperations: number;
  /** With a value that no version of etcd knows. */
  unknownEnums: number;
  /** With a number near the ends of what 64 bits hold. */
  extremes: number;
  /** Leases whose time ran out, with keys. */
  runOuts: number;
  /** Answers that hold an alarm. */
  alarms: number;
  /** Refused because of an alarm. */
  refusedByAlarm: number;
  statuses: number;
  sessions: number;
  watches: number;
  filtered: number;
  events: number;
  /** Events with the pair that was there before. */
  withPrevious: number;
  /** Responses that are not the last part of what they tell. */
  fragments: number;
  /** Answers to the question how far all watches are. */
  progress: number;
}

export function noVolume(): Volume {
  return {
    ...{ calls: 0, errors: 0, tooLarge: 0, tooManyOperations: 0, unknownEnums: 0, extremes: 0, runOuts: 0 },
    ...{ alarms: 0, refusedByAlarm: 0, statuses: 0 },
    ...{ sessions: 0, watches: 0, filtered: 0, events: 0, withPrevious: 0, fragments: 0, progress: 0 },
  };
}

/** Counts an answered step that is no watch stream's. */
export function countStep(volume: Volume, step: Step, outcome: Outcome): void {
  volume.calls++;
  if (step.kind === 'call') {
    if (step.method === 'status') volume.statuses++;
    if (holds(step.request, isUnknownEnum)) volume.unknownEnums++;
    if (holds(step.request, (_, field) => isExtreme(field))) volume.extremes++;
    if (step.method === 'alarm' && hasAlarms(outcome)) volume.alarms++;
  }
  if ('message' in outcome) countError(volume, outcome.message);
}

function countError(volume: Volume, message: string): void {
  volume.errors++;
  if (/request is too large|larger than max/.test(message)) volume.tooLarge++;
  if (message.endsWith('too many operations in txn request')) volume.tooManyOperations++;
  if (/database space exceeded|corrupt cluster/.test(message)) volume.refusedByAlarm++;
}

/** Counts what a closed stream was. */
export function countStream(volume: Volume, stream: WatchStream): void {
  volume.sessions++;
  volume.watches += stream.watchCount;
  volume.filtered += stream.filteredCount;
  volume.events += stream.eventCount;
  volume.withPrevious += stream.previousCount;
  volume.fragments += stream.fragmentCount;
}

function hasAlarms(outcome: Outcome): boolean {
  return 'reply' in outcome && (outcome.reply as { readonly alarms: readonly unknown[] }).alarms.length > 0;
}

type Test = (name: string, field: unknown) => boolean;

/** Whether a field of a message, or of one within it, is such. */
function holds(message: unknown, is: Test): boolean {
  if (typeof message !== 'object' || message === null || message instanceof Uint8Array) return false;
  return Object.entries(message).some(([name, field]) => is(name, field) || holds(field, is));
}

/** The largest value of each enumeration, by the field that holds it. */
const largest: Readonly<Record<string, number>> = { sortOrder: 2, sortTarget: 4, result: 3, target: 4, alarm: 2 };

function isUnknownEnum(name: string, field: unknown): boolean {
  const most = largest[name];
  return most !== undefined && typeof field === 'number' && (field < 0 || field > most);
}

/** Ids that servers drew have aliases (leases.ts), which are large, too. */
function isExtreme(field: unknown): boolean {
  if (typeof field !== 'bigint') return false;
  const size = field < 0n ? -field : field;
  const isAlias = size >= 1n << 61n && size < (1n << 61n) + (1n << 30n);
  return size >= 2n ** 31n - 1n && !isAlias;
}
