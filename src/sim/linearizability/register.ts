/** Whether what clients saw of one key has an explanation: the search of Wing and Gong, with Lowe's memory of dead ends. */

/** One call on one key. Values are written once each; `undefined` means that the key is not there. */
export interface RegisterCall {
  readonly invokedAt: number;
  /** `Infinity`: it may have taken effect at any time since, or never. */
  readonly returnedAt: number;
  readonly kind: 'write' | 'read' | 'delete';
  /** Written, or read. */
  readonly value: string | undefined;
  /** Delete: whether the key was there; `undefined` if nobody knows. */
  readonly existed: boolean | undefined;
  /** Where the revisions that clients were told place it, if they do: only which order is tried first depends on that. */
  readonly place?: number | undefined;
  /** Read: the same of the write that it saw. */
  readonly sawPlace?: number | undefined;
}

export type Verdict = 'linearizable' | 'not linearizable' | 'undecided';

/** A call begins or returns: a doubly linked list in the order of time. */
interface Moment {
  readonly call: number;
  readonly isReturn: boolean;
  previous: Moment | undefined;
  next: Moment | undefined;
  /** Of a call's beginning: its end. */
  match: Moment | undefined;
}

/** A call that was given its place in the order, and what else could have had it. */
interface Choice {
  readonly moment: Moment;
  /** The value before it. */
  readonly before: string | undefined;
  readonly candidates: readonly Moment[];
  /** How many of them have been tried. */
  readonly tried: number;
}

/**
 * Looks for an order of the calls that agrees with their times and with what they saw.
 *
 * @param maxSteps gives up after so many tries
 */
export function judgeRegister(calls: readonly RegisterCall[], maxSteps = 100_000): Verdict {
  const places = placesOf(calls);
  const head = momentsOf(calls);
  const seen = new Set<string>();
  /** Names the set of calls that are done, whatever their order. */
  let done: readonly [number, number] = [0, 0];
  const path: Choice[] = [];
  let value: string | undefined;
  const alikeOf = likenesses(calls);
  let candidates = candidatesAfter({ head, value }, places, alikeOf);
  let tried = 0;
  // Only calls that have returned must find a place.
  let left = calls.filter(({ returnedAt }) => returnedAt !== Infinity).length;
  for (let steps = 0; left > 0; steps++) {
    if (steps > maxSteps) return 'undecided';
    const moment = candidates[tried++];
    if (moment === undefined) {
      // Nothing more can come before a call that has returned: take the last choice back.
      const last = path.pop();
      if (last === undefined) return 'not linearizable';
      value = last.before;
      if (last.moment.match !== undefined) left++;
      done = toggle(done, last.moment.call);
      putBack(last.moment);
      ({ candidates, tried } = last);
      continue;
    }
    const after = apply(calls[moment.call], value);
    if (after === undefined) continue;
    const doneThen = toggle(done, moment.call);
    const state = `${after.value ?? ''} ${doneThen[0]} ${doneThen[1]}`;
    if (seen.has(state)) continue;
    seen.add(state);
    done = doneThen;
    path.push({ moment, before: value, candidates, tried });
    value = after.value;
    takeOut(moment);
    if (moment.match !== undefined) left--;
    candidates = candidatesAfter({ head, value }, places, alikeOf);
    tried = 0;
  }
  return 'linearizable';
}

/**
 * The calls that may come next: those that began before any of the others returned. The likeliest first, which is the one
 * with the lowest place; if it does not fit, one whose place nobody knows has to come before. Of open calls that are alike
 * the first stands for all: once they have begun, each can do what the others can; and only where it changes anything.
 * Without that, `n` deletes that nobody heard of are `2 ** n` sets to try.
 */
function candidatesAfter(
  { head, value }: { readonly head: Moment; readonly value: string | undefined },
  places: readonly number[],
  alikeOf: readonly Likeness[],
): readonly Moment[] {
  const placed: Moment[] = [];
  const unplaced: Moment[] = [];
  const placeOf = ({ call }: Moment): number => places[call] ?? Infinity;
  let isOneIn = false;
  for (let moment = head.next; moment !== undefined && !moment.isReturn; moment = moment.next) {
    const alike = alikeOf[moment.call];
    if (alike !== undefined) {
      if (isOneIn || alike !== (value === undefined ? 'creates' : 'removes')) continue;
      isOneIn = true;
    }
    (placeOf(moment) === Infinity ? unplaced : placed).push(moment);
  }
  placed.sort((a, b) => placeOf(a) - placeOf(b));
  return [...placed.slice(0, 1), ...unplaced, ...placed.slice(1)];
}

/**
 * What an open call can do that nobody could tell from another's doing it, or `nothing` that anybody could notice; `undefined`
 * if there is something to tell.
 */
type Likeness = 'creates' | 'removes' | 'nothing' | undefined;

/** By call. Open are those of unknown outcome: a delete, or a write whose value nobody read. */
function likenesses(calls: readonly RegisterCall[]): readonly Likeness[] {
  const read = new Set(calls.filter(({ kind }) => kind === 'read').map(({ value }) => value));
  // Such a write is needed by deletes that met something, or may as well have happened after everything.
  const ofUnread = calls.some(({ existed }) => existed === true) ? 'creates' : 'nothing';
  return calls.map(({ kind, value, returnedAt }) => {
    if (returnedAt !== Infinity) return undefined;
    if (kind === 'delete') return 'removes';
    return kind === 'write' && !read.has(value) ? ofUnread : undefined;
  });
}

/** By call. Of a write of unknown outcome a read that saw it may tell; what nobody tells of is tried last. */
function placesOf(calls: readonly RegisterCall[]): readonly number[] {
  const seen = new Map(calls.map(({ value, sawPlace }) => [sawPlace === undefined ? undefined : value, sawPlace]));
  return calls.map(({ kind, value, place }) => place ?? (kind === 'write' ? seen.get(value) : undefined) ?? Infinity);
}

/** Adds a call to a set of calls, or takes it out, where a set is the sum of its calls' random numbers (Zobrist). */
function toggle([a, b]: readonly [number, number], call: number): readonly [number, number] {
  return [a ^ scatter(call * 2 + 1), b ^ scatter(call * 2 + 2)];
}

function scatter(number: number): number {
  let mixed = Math.imul(number ^ (number >>> 16), 0x45d9f3b);
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x45d9f3b);
  return mixed ^ (mixed >>> 16);
}

function apply(call: RegisterCall | undefined, value: string | undefined): { value: string | undefined } | undefined {
  switch (call?.kind) {
    case 'write':
      return { value: call.value };
    case 'read':
      return call.value === value ? { value } : undefined;
    case 'delete':
      return call.existed === undefined || call.existed === (value !== undefined) ? { value: undefined } : undefined;
    case undefined:
      return undefined;
  }
}

function momentsOf(calls: readonly RegisterCall[]): Moment {
  const moments: { readonly at: number; readonly moment: Moment }[] = [];
  calls.forEach(({ invokedAt, returnedAt }, call) => {
    const end: Moment = { call, isReturn: true, previous: undefined, next: undefined, match: undefined };
    const isOpen = returnedAt === Infinity;
    const match = isOpen ? undefined : end;
    moments.push({ at: invokedAt, moment: { call, isReturn: false, previous: undefined, next: undefined, match } });
    if (!isOpen) moments.push({ at: returnedAt, moment: end });
  });
  // At the same instant calls begin before others return: they overlap.
  moments.sort((a, b) => a.at - b.at || Number(a.moment.isReturn) - Number(b.moment.isReturn));
  const head: Moment = { call: -1, isReturn: false, previous: undefined, next: undefined, match: undefined };
  let last = head;
  for (const { moment } of moments) {
    moment.previous = last;
    last.next = moment;
    last = moment;
  }
  return head;
}

function takeOut(moment: Moment): void {
  unlink(moment);
  if (moment.match !== undefined) unlink(moment.match);
}

function putBack(moment: Moment): void {
  if (moment.match !== undefined) relink(moment.match);
  relink(moment);
}

function unlink({ previous, next }: Moment): void {
  if (previous !== undefined) previous.next = next;
  if (next !== undefined) next.previous = previous;
}

function relink(moment: Moment): void {
  if (moment.previous !== undefined) moment.previous.next = moment;
  if (moment.next !== undefined) moment.next.previous = moment;
}
