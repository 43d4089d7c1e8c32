/** A simulated client: one call after the other, to any member, with deadlines, over a network that loses answers. */
import { assert } from '../../base/assert';
import { QuorateError } from '../../base/error';
import { between, type Rng } from '../../base/rng';
import type { Agenda } from '../world/agenda';
import { exponential, isLucky, pick, real } from '../world/chance';
import { isMutation, type Answer, type Call, type CallOutcome, type Operation, type Serve } from './call';
import { type Memory } from './memory';
import type { OperationKind } from './operation-kind';
import { serve } from './serve';

/** How a client behaves. */
export interface ClientHabits {
  readonly meanThinkMs: number;
  readonly minDeadlineMs: number;
  readonly maxDeadlineMs: number;
  readonly meanTravelMs: number;
  /** How many requests and answers are lost. */
  readonly lossRate: number;
  /** How often it goes to another member after a success; after a failure it mostly does. */
  readonly wanderRate: number;
  /** How often a call that failed or whose outcome is unknown is made again. */
  readonly retryRate: number;
  /** How often a change has a request id. Such a one is made again under its id, wherever the client is then. */
  readonly namedRate: number;
  /** How often a client uses an id that it has used before, for the same or for something else. */
  readonly confusionRate: number;
}

/** A member, as far as clients can reach it. */
export interface Contact {
  readonly name: string;
  /** Another one after every restart. */
  readonly life: string;
  /** Does a call there when the member is awake; returns false if nobody listens. */
  serve(serve: Serve, deadlineMs: number, answered: (answer: Promise<Answer>) => void): boolean;
}

/** What the world wants to know of calls. */
export interface CallObserver {
  /** The present, as a number in the order of events. */
  readonly step: number;
  invoked(call: Call, contact: Contact): void;
  returned(call: Call): void;
  /** A member answered; the answer may still be lost. */
  answered(call: Call, contact: Contact, answer: Answer): void;
  /** A member failed in a way that no caller may see. */
  broken(error: unknown): void;
}

export interface ClientParts {
  readonly number: number;
  readonly agenda: Agenda;
  readonly rng: Rng;
  readonly habits: ClientHabits;
  /** What it draws its operations from. */
  readonly kinds: readonly OperationKind[];
  readonly memory: Memory;
  /** Whom it may ask. */
  readonly contacts: () => readonly Contact[];
  readonly nextCallId: () => number;
  readonly observer: CallObserver;
}

/** Waits this much longer than the deadline it gave. */
const graceMs = 200;

export class Client {
  readonly #parts: ClientParts;
  #contact: Contact | undefined;
  #again: Operation | undefined;
  #isStopped = false;
  /** Makes no new calls for the time being. */
  isPaused = false;

  constructor(parts: ClientParts) {
    this.#parts = parts;
    this.#rest();
  }

  /** Makes no more calls; the one that is open ends as it may. */
  stop(): void {
    this.#isStopped = true;
  }

  #rest(): void {
    const { agenda, rng, habits } = this.#parts;
    agenda.after(exponential(rng, habits.meanThinkMs), () => {
      if (this.#isStopped) return;
      if (this.isPaused) this.#rest();
      else this.#call();
    });
  }

  #call(): void {
    const { rng, habits, contacts, nextCallId, observer } = this.#parts;
    const reachable = contacts();
    const stays = this.#contact !== undefined && reachable.includes(this.#contact);
    const contact = stays && !isLucky(rng, habits.wanderRate) ? this.#contact : pick(rng, reachable);
    assert(contact !== undefined, 'there is somebody to ask');
    this.#contact = contact;
    const id = nextCallId();
    const operation = this.#draw(id);
    const call: Call = {
      id,
      client: this.#parts.number,
      operation,
      deadlineMs: between(rng, habits.minDeadlineMs, habits.maxDeadlineMs),
      invokedAt: observer.step,
      returnedAt: Infinity,
      invokedAtMs: this.#parts.agenda.now,
      outcome: 'open',
      answer: undefined,
      error: undefined,
    };
    observer.invoked(call, contact);
    this.#ask(call, contact);
  }

  #draw(id: number): Operation {
    const { rng, kinds, habits, memory } = this.#parts;
    const again = this.#again;
    this.#again = undefined;
    if (again !== undefined) return again;
    let left = real(
      rng,
      0,
      kinds.reduce((sum, { weight }) => sum + weight, 0),
    );
    const kind = kinds.find(({ weight }) => (left -= weight) < 0);
    assert(kind !== undefined, 'the weights add up');
    const operation = kind.draw(memory.context(rng, id));
    if (operation.kind !== 'mutation' || !isLucky(rng, habits.namedRate)) return operation;
    return memory.name(operation, { rng, id, isConfused: isLucky(rng, habits.confusionRate) });
  }

  #ask(call: Call, contact: Contact): void {
    const { agenda, observer } = this.#parts;
    const { deadlineMs } = call;
    agenda.after(deadlineMs + graceMs, () => this.#end(call, isMutation(call.operation) ? 'ambiguous' : 'definite'));
    this.#travel(() => {
      const doIt: Serve = (serving, context) => serve(call.operation, serving, context);
      const isHeard = contact.serve(doIt, deadlineMs, (promise) => {
        promise.then(
          (answer) => {
            observer.answered(call, contact, answer);
            this.#travel(() => this.#end(call, 'ok', answer));
          },
          (error: unknown) => {
            if (error instanceof QuorateError) this.#travel(() => this.#fail(call, error));
            else observer.broken(error);
          },
        );
      });
      if (!isHeard) this.#travel(() => this.#end(call, 'definite'));
    });
  }

  #travel(arrive: () => void): void {
    const { agenda, rng, habits } = this.#parts;
    const ms = exponential(rng, habits.meanTravelMs);
    if (!isLucky(rng, habits.lossRate)) agenda.after(ms, arrive);
  }

  #fail(call: Call, { code, outcome }: QuorateError): void {
    if (call.outcome === 'open') call.error = code;
    this.#end(call, outcome === 'unknown' ? 'ambiguous' : 'definite');
  }

  /** The first that is heard of a call's end counts. */
  #end(call: Call, outcome: CallOutcome, answer?: Answer): void {
    if (call.outcome !== 'open') return;
    const { rng, habits, observer } = this.#parts;
    call.outcome = outcome;
    call.answer = answer;
    call.returnedAt = observer.step;
    this.#parts.memory.heard(answer);
    observer.returned(call);
    if (outcome !== 'ok') {
      this.#contact = isLucky(rng, 0.7) ? undefined : this.#contact;
      this.#again = mayBeRepeated(call.operation) && isLucky(rng, habits.retryRate) ? call.operation : undefined;
    }
    this.#rest();
  }
}

/** A change without a request id would be another change. */
function mayBeRepeated(operation: Operation): boolean {
  return operation.kind !== 'mutation' || operation.requestId !== undefined;
}
