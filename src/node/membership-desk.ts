/** The leader's desk for changes of the members and of the leadership: one at a time, in the order in which they came. */
import { assert } from '../base/assert';
import type { Scheduler, Timer } from '../base/clock';
import type { ErrorCode } from '../base/error';
import { isJoint, type ChangeAnswer, type ConfigurationAt, type Event, type MemberId } from '../raft';
import type { PeerStatus, RaftStatus, TransferAnswer, TransferRefusal, Update } from '../raft';
import { decodeDirectory, encodeDirectory, standingOf, type DirectoryEntry } from './member-directory';
import { planMembership, type MemberWish, type Wish } from './membership-plan';

/** What became of a request. `not-leader`: nothing was done; ask the leader. */
export type DeskAnswer =
  | { readonly kind: 'done'; readonly index: number }
  | { readonly kind: 'refused'; readonly code: ErrorCode; readonly message: string }
  | { readonly kind: 'unknown' }
  | { readonly kind: 'not-leader' };

/** What the desk works with. */
export interface MembershipDeskParts {
  readonly id: MemberId;
  readonly scheduler: Scheduler;
  /** How long to wait before the core is asked again, or looked at whether a learner is ready, ms. */
  readonly retryMs: number;
  /** Most requests that wait. */
  readonly maxWaiting: number;
  status(): RaftStatus;
  /** The configuration in force. */
  configuration(): ConfigurationAt;
  /** Every peer, while this member leads. */
  peers(): readonly PeerStatus[];
  post(event: Event): void;
}

interface Request {
  readonly wish: Wish;
  readonly answer: (answer: DeskAnswer) => void;
}

/** The request in the core's hands, under a fresh id. */
interface Current extends Request {
  readonly id: number;
  /** Where the change stands in the log. */
  index: number | undefined;
}

/** Asks the core for what was wished, and answers when it is certain. */
export class MembershipDesk {
  readonly #parts: MembershipDeskParts;
  readonly #waiting: Request[] = [];
  #current: Current | undefined;
  #nextId = 1;
  #timer: Timer | undefined;

  constructor(parts: MembershipDeskParts) {
    this.#parts = parts;
  }

  /** Takes a request; answered once, possibly at once. */
  take(wish: Wish, answer: (answer: DeskAnswer) => void): void {
    const { maxWaiting } = this.#parts;
    if (this.#parts.status().role !== 'leader') answer({ kind: 'not-leader' });
    else if (this.#waiting.length >= maxWaiting) {
      const message = `too many changes wait: the limit is ${maxWaiting}; nothing was done`;
      answer({ kind: 'refused', code: 'overloaded', message });
    } else {
      this.#waiting.push({ wish, answer });
      this.#next();
    }
  }

  /** A turn of the core is over. */
  onUpdate(update: Update): void {
    for (const answer of update.changes) this.#onChange(answer);
    for (const answer of update.transfers) this.#onTransfer(answer);
    this.#settle(update.commitIndex);
    if (this.#parts.status().role !== 'leader') this.#giveUp();
    else if (this.#timer === undefined) this.#next();
  }

  /** This member stops. */
  stop(): void {
    this.#timer?.cancel();
    this.#giveUp();
  }

  #next(): void {
    while (this.#current === undefined) {
      const request = this.#waiting.shift();
      if (request === undefined) {
        // Nothing else to do: look in a while whether a learner is ready to vote.
        if (this.#learnersToPromote().length > 0) this.#again();
        return;
      }
      this.#begin(request);
    }
  }

  #begin({ wish, answer }: Request): void {
    if (wish.$case === 'transfer') this.#beginTransfer(wish.value.name, { wish, answer });
    else this.#beginChange(wish, answer);
  }

  #beginChange(wish: MemberWish, answer: Request['answer']): void {
    const { configuration, context } = this.#parts.configuration();
    const plan = planMembership(wish, decodeDirectory(context), configuration);
    if (!plan.ok) {
      answer(refused(plan.refusal));
      return;
    }
    const id = this.#nextId++;
    this.#current = { id, wish, answer, index: undefined };
    const { changes, members } = plan;
    this.#parts.post({ kind: 'change-configuration', id, changes, context: encodeDirectory(members) });
  }

  #beginTransfer(name: string, request: Request): void {
    const successor = name === '' ? undefined : this.#directory().find((member) => member.name === name);
    if (name !== '' && successor === undefined) {
      request.answer(refused(`there is no member ${name}`));
      return;
    }
    const id = this.#nextId++;
    this.#current = { ...request, id, index: undefined };
    this.#parts.post({ kind: 'transfer-leadership', id, to: successor?.id });
  }

  #onChange(answer: ChangeAnswer): void {
    const current = this.#take(answer.id);
    if (current === undefined) return;
    if (answer.accepted) {
      current.index = answer.index;
      this.#current = current;
    } else if (answer.reason === 'unfinished') {
      // What is under way ends by itself; then it is this one's turn.
      this.#waiting.unshift(current);
      this.#again();
    } else if (answer.reason === 'not-leader') current.answer({ kind: 'not-leader' });
    else current.answer(refused(changeRefusals[answer.reason]));
  }

  #onTransfer(answer: TransferAnswer): void {
    const current = this.#take(answer.id);
    if (current === undefined) return;
    if (answer.done) current.answer({ kind: 'done', index: this.#parts.status().commitIndex });
    else if (answer.reason === 'not-leader') current.answer({ kind: 'not-leader' });
    else current.answer(refused(transferRefusals[answer.reason]));
  }

  /** A change is done once a configuration that is not joint is committed, at or after its place. */
  #settle(commitIndex: number): void {
    const index = this.#current?.index;
    if (index === undefined) return;
    const inForce = this.#parts.configuration();
    if (inForce.index < index || inForce.index > commitIndex || isJoint(inForce.configuration)) return;
    this.#current?.answer({ kind: 'done', index: inForce.index });
    this.#current = undefined;
  }

  /** Leadership is over: what was not begun was not done, of what was begun nobody can say. */
  #giveUp(): void {
    const current = this.#current;
    this.#current = undefined;
    if (current !== undefined) {
      const isTransfer = current.wish.$case === 'transfer';
      current.answer(current.index === undefined && !isTransfer ? { kind: 'not-leader' } : { kind: 'unknown' });
    }
    for (const { answer } of this.#waiting.splice(0)) answer({ kind: 'not-leader' });
  }

  #again(): void {
    this.#timer ??= this.#parts.scheduler.after(this.#parts.retryMs, () => {
      this.#timer = undefined;
      if (this.#parts.status().role !== 'leader') return;
      this.#wishReadyPromoted();
      this.#next();
    });
  }

  /** Has a learner that lacks little made a voter. */
  #wishReadyPromoted(): void {
    if (this.#current !== undefined || this.#waiting.length > 0) return;
    const caughtUp = this.#parts.peers().filter(({ isCaughtUp }) => isCaughtUp);
    const ready = this.#learnersToPromote().find(({ id }) => caughtUp.some(({ peer }) => peer === id));
    if (ready === undefined) return;
    this.#waiting.push({ wish: { $case: 'promote', value: { name: ready.name } }, answer: () => undefined });
  }

  #learnersToPromote(): readonly DirectoryEntry[] {
    const { configuration } = this.#parts.configuration();
    if (configuration.learners.length === 0) return [];
    return this.#directory().filter(
      ({ id, promoteWhenReady }) => promoteWhenReady && standingOf(configuration, id) === 'learner',
    );
  }

  #directory(): readonly DirectoryEntry[] {
    const { configuration, context } = this.#parts.configuration();
    return decodeDirectory(context).filter(({ id }) => standingOf(configuration, id) !== undefined);
  }

  /** The current request, if it is the one that was answered. */
  #take(id: number): Current | undefined {
    const current = this.#current;
    assert(current === undefined || current.id >= id, 'the core answers only what was asked');
    if (current?.id !== id) return undefined;
    this.#current = undefined;
    return current;
  }
}

const changeRefusals: Readonly<Record<Exclude<Refusal, 'not-leader' | 'unfinished'>, string>> = {
  'no-change': 'that is how it is already',
  'no-voters': 'no voter would be left',
  'not-simple': 'the change cannot be made in one step',
  joint: 'another change is under way',
  'not-joint': 'no change is under way',
  'named-twice': 'a member is named twice',
  'too-many': 'there would be too many members',
  'id-was-used': 'the id of the new member was used before',
  'not-caught-up': 'the learner has not caught up yet',
  unhealthy: 'fewer than a majority of the voters would be up, and the cluster would stop',
};

const transferRefusals: Readonly<Record<Exclude<TransferRefusal, 'not-leader'>, string>> = {
  'not-a-voter': 'the successor does not vote',
  busy: 'leadership is being handed over already',
  'no-successor': 'no other voter answers',
  'timed-out': 'the successor did not take over within an election timeout; the old leader goes on',
};

type Refusal = Extract<ChangeAnswer, { accepted: false }>['reason'];

function refused(message: string): DeskAnswer {
  return { kind: 'refused', code: 'change-refused', message: `${message}; nothing was done` };
}
