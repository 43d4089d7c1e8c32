/** Locks: whoever is first below a name holds it. */
import { assert } from '../../base/assert';
import { putOperation, unnamed } from '../../kv/command-builders';
import type { CallContext } from '../../node/call';
import { propose, type RecipeDependencies, stepOf } from './dependencies';
import { contenderKey, isFree, type Place } from './place';
import { type Contender, type Freed, type PlaceToFree, Queues, type Standing } from './queues';

/** The locks of all names, as one member grants them. */
export class Locks {
  readonly #needs: RecipeDependencies;
  readonly #queues: Queues;

  constructor(needs: RecipeDependencies) {
    this.#needs = needs;
    this.#queues = new Queues(needs);
  }

  /** Waits until the lock is free and takes it: see `Queues.waitInTurn`. */
  acquire(contender: Contender, signal: AbortSignal): Promise<Place | undefined> {
    return this.#queues.waitInTurn(contender, signal);
  }

  /**
   * Takes the lock if nobody holds it or waits for it, or if the lease holds it already.
   *
   * @returns `undefined` if another has it
   * @throws as `acquire`
   */
  async tryAcquire({ name, lease, value, form }: Contender): Promise<Place | undefined> {
    const key = contenderKey(name, lease.id);
    const take = putOperation({ key, value, form, lease: lease.id, grantTtl: lease.ttl });
    const result = await propose(
      this.#needs,
      unnamed({ kind: 'txn', compares: [isFree(name)], success: [take], failure: [] }),
      stepOf(this.#needs),
    );
    assert(result.kind === 'txn', 'the result of a transaction is that of a transaction');
    const { first } = this.standing(name);
    if (first === undefined || Buffer.compare(first.key, key) !== 0) return undefined;
    return { name, key, lease: lease.id, createRevision: first.createRevision };
  }

  /** Frees a lock, whoever waits for it or holds it by this key. */
  release(place: PlaceToFree, call: CallContext): Promise<Freed> {
    return this.#queues.free(place, call);
  }

  /** Who holds a lock, on this member's own copy. */
  standing(name: Uint8Array): Standing {
    return this.#queues.standing(name);
  }
}
