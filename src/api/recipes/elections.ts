/** Elections: whoever is first below a name leads, and its value is what it proclaims. */
import { assert } from '../../base/assert';
import type { RequestId } from '../../kv/command';
import { putOperation } from '../../kv/command-builders';
import type { CallContext } from '../../node/call';
import { propose, type RecipeDependencies } from './dependencies';
import { observe, type Observation } from './observe';
import { type ContenderValue, isCreatedAt, type Place } from './place';
import { type Contender, type Freed, type PlaceToFree, Queues, type Standing } from './queues';

/** A new value of a leader. */
export interface Proclamation extends ContenderValue {
  readonly key: Uint8Array;
  /** It must have led since. */
  readonly createRevision: number;
  readonly requestId: RequestId | undefined;
}

/** What a proclamation gave. */
export interface Proclaimed {
  /** False if it does not lead any more: nothing was changed. */
  readonly done: boolean;
  readonly revision: number;
  readonly replayed: boolean;
}

/** The elections of all names, as one member holds them. */
export class Elections {
  readonly #needs: RecipeDependencies;
  readonly #queues: Queues;

  constructor(needs: RecipeDependencies) {
    this.#needs = needs;
    this.#queues = new Queues(needs);
  }

  /** Waits until the contender leads: see `Queues.waitInTurn`. */
  campaign(contender: Contender, signal: AbortSignal): Promise<Place | undefined> {
    return this.#queues.waitInTurn(contender, signal);
  }

  /** Changes the value of a leader. @throws QuorateError `no-space`, and what `Proposer.propose` throws */
  async proclaim(
    { key, createRevision, value, form, requestId }: Proclamation,
    call: CallContext,
  ): Promise<Proclaimed> {
    const success = [putOperation({ key, value, form, keepLease: true })];
    const compares = [isCreatedAt(key, createRevision)];
    const command = { requestId, command: { kind: 'txn', compares, success, failure: [] } } as const;
    const result = await propose(this.#needs, command, call);
    assert(result.kind === 'txn', 'the result of a transaction is that of a transaction');
    return { done: result.succeeded, revision: result.revision, replayed: result.replayed ?? false };
  }

  /** Gives up leadership or a campaign. */
  resign(place: PlaceToFree, call: CallContext): Promise<Freed> {
    return this.#queues.free(place, call);
  }

  /** Who leads, on this member's own copy. */
  standing(name: Uint8Array): Standing {
    return this.#queues.standing(name);
  }

  /** Tells who leads, now and at each change: see `observe`. */
  observe(name: Uint8Array, signal: AbortSignal): AsyncGenerator<Observation, void, undefined> {
    return observe(this.#needs, name, signal);
  }
}
