/** A simulated operator: changes the members and the leader of the cluster, one wish after the other, and tidies up after it. */
import { QuorateError } from '../../base/error';
import { between, type Rng } from '../../base/rng';
import type { DirectoryEntry } from '../../node/member-directory';
import type { Wish } from '../../node/membership-plan';
import type { MemberId } from '../../raft';
import type { Agenda } from '../world/agenda';
import { exponential, isLucky, pick } from '../world/chance';
import type { SimMember } from '../world/member';
import { update, wishKinds } from './wishes';

/** What came of a wish, as for calls. */
export type WishOutcome = 'ok' | 'definite' | 'ambiguous';

/** The world, as far as operators get at it. */
export interface OperatorWorld {
  readonly agenda: Agenda;
  /** Who is there. */
  readonly present: readonly SimMember[];
  /** Who was taken out, as its operator was told. */
  readonly former: readonly DirectoryEntry[];
  isLost(id: MemberId): boolean;
  /** A machine that was never used; `undefined` when there are enough of them. */
  newMember(promoteWhenReady: boolean): DirectoryEntry | undefined;
  /** Starts such a machine. */
  join(id: MemberId): void;
  /** Ends a member for ever. */
  retire(id: MemberId): void;
  wished(wish: Wish, member: SimMember): void;
  decided(wish: Wish, outcome: WishOutcome): void;
  broken(error: unknown): void;
}

export interface OperatorHabits {
  readonly meanThinkMs: number;
  readonly maxDeadlineMs: number;
  /** How often a member that was removed is switched off; otherwise it stays where it is. */
  readonly tidiness: number;
}

/** An unknown outcome may become known to the cluster so much later. */
const doubtMs = 20_000;
const graceMs = 500;
/** How often a second operator is at work. */
const besideRate = 0.4;

export class Operator {
  readonly #world: OperatorWorld;
  readonly #rng: Rng;
  readonly #habits: OperatorHabits;
  /** While this lasts, somebody may be about to be removed. */
  #doubtUntil = 0;
  #isStopped = false;

  constructor(world: OperatorWorld, rng: Rng, habits: OperatorHabits) {
    this.#world = world;
    this.#rng = rng;
    this.#habits = habits;
    this.#rest();
  }

  /** Makes no more wishes. */
  stop(): void {
    this.#isStopped = true;
  }

  /** A member may be on its way out. */
  get isInDoubt(): boolean {
    return this.#world.agenda.now < this.#doubtUntil;
  }

  #rest(): void {
    this.#world.agenda.after(exponential(this.#rng, this.#habits.meanThinkMs), () => {
      if (!this.#isStopped) this.#wish();
    });
  }

  #wish(): void {
    const rng = this.#rng;
    const world = this.#world;
    const member = pick(rng, world.present);
    const kinds = wishKinds.flatMap((kind) => Array.from({ length: kind.weight }, () => kind));
    const wish = pick(rng, kinds).draw({
      ...{ rng, listed: member.listed(), former: world.former },
      isLost: (id) => world.isLost(id),
      newMember: (promote) => world.newMember(promote),
    });
    if (wish === undefined) {
      this.#rest();
      return;
    }
    this.#ask(wish, member);
    if (isLucky(rng, besideRate)) this.#askBeside(pick(rng, world.present));
  }

  /** Another operator makes a wish at the same time, of anybody and harmless: two changes are on their way (invariant M1). */
  #askBeside(member: SimMember): void {
    const view = {
      rng: this.#rng,
      listed: member.listed(),
      former: [],
      isLost: () => false,
      newMember: () => undefined,
    };
    const wish = update.draw(view);
    if (wish === undefined) return;
    this.#world.wished(wish, member);
    // Nobody waits for the answer.
    member.change(wish, this.#habits.maxDeadlineMs, (answer) => void answer.catch(() => undefined));
  }

  #ask(wish: Wish, member: SimMember): void {
    const { agenda } = this.#world;
    const joining = joiningOf(wish);
    // Some start the machine first, some afterwards.
    const startsFirst = isLucky(this.#rng, 0.5);
    if (joining !== undefined && startsFirst) this.#world.join(joining);
    if (leavingOf(wish) !== undefined) this.#doubtUntil = Infinity;
    let isOpen = true;
    const decide = (outcome: WishOutcome): void => {
      if (!isOpen) return;
      isOpen = false;
      this.#decided(wish, outcome, startsFirst);
    };
    const deadlineMs = between(this.#rng, 200, this.#habits.maxDeadlineMs);
    this.#world.wished(wish, member);
    const isHeard = member.change(wish, deadlineMs, (promise) => {
      promise.then(
        () => decide('ok'),
        (error: unknown) => {
          if (error instanceof QuorateError) decide(error.outcome === 'unknown' ? 'ambiguous' : 'definite');
          else this.#world.broken(error);
        },
      );
    });
    if (isHeard) agenda.after(deadlineMs + graceMs, () => decide('ambiguous'));
    else decide('definite');
  }

  #decided(wish: Wish, outcome: WishOutcome, hasJoined: boolean): void {
    const world = this.#world;
    const [joining, leaving] = [joiningOf(wish), leavingOf(wish)];
    if (leaving !== undefined) this.#doubtUntil = outcome === 'ambiguous' ? world.agenda.now + doubtMs : 0;
    if (joining !== undefined && !hasJoined && outcome !== 'definite') world.join(joining);
    if (joining !== undefined && outcome === 'definite') world.retire(joining);
    if (leaving !== undefined && outcome === 'ok') this.#switchOff(leaving);
    world.decided(wish, outcome);
    this.#rest();
  }

  #switchOff(name: string): void {
    const member = this.#world.present.find((it) => it.name === name);
    if (member === undefined || !isLucky(this.#rng, this.#habits.tidiness)) return;
    this.#world.agenda.after(between(this.#rng, 0, 3000), () => this.#world.retire(member.id));
  }
}

/** Whom a wish would bring in. */
export function joiningOf(wish: Wish): MemberId | undefined {
  return wish.$case === 'add' || wish.$case === 'replace' ? wish.value.member?.id : undefined;
}

/** Whom a wish would take out, by name. */
export function leavingOf(wish: Wish): string | undefined {
  return wish.$case === 'remove' || wish.$case === 'replace' ? wish.value.name : undefined;
}

/** For readers of the trace. */
export function describeWish(wish: Wish): string {
  switch (wish.$case) {
    case 'add':
      return `add ${wish.value.member?.name}${wish.value.member?.promoteWhenReady === true ? ', to vote' : ''}`;
    case 'replace':
      return `replace ${wish.value.name} by ${wish.value.member?.name}`;
    case 'transfer':
      return `hand the leadership to ${wish.value.name === '' ? 'anybody' : wish.value.name}`;
    case 'remove':
    case 'promote':
    case 'update':
      return `${wish.$case} ${wish.value.name}`;
    case 'claim':
      return `claim the place of ${wish.value.id}`;
  }
}
