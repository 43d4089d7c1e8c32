/** The queues below names, in which locks and elections wait: one key for each contender, served in order of creation. */
import { assert } from '../../base/assert';
import { QuorateError } from '../../base/error';
import type { Command, RequestId } from '../../kv/command';
import { putOperation, unnamed } from '../../kv/command-builders';
import type { KeyRecord, Result, TxnResult } from '../../kv/result';
import type { CallContext } from '../../node/call';
import { propose, type RecipeDependencies, stepOf } from './dependencies';
import {
  type ContenderValue,
  contenderKey,
  deleteIf,
  isCreatedAt,
  isModifiedAt,
  isThere,
  type Place,
  queueQuery,
} from './place';
import { Renewal } from './renewal';
import { deletionOfAny } from './waiting';

/** The lease that a contender's key is attached to. */
export interface ContenderLease {
  readonly id: bigint;
  /** Seconds: the lease is made with the key, and kept alive while it waits. 0: it is there, and others care for it. */
  readonly ttl: number;
}

/** Who wants to be in the queue, and what its key shall hold. */
export interface Contender extends ContenderValue {
  readonly name: Uint8Array;
  readonly lease: ContenderLease;
}

/** A place that a call has entered. */
export interface EnteredPlace extends Place {
  /** When the call entered: a later call with the same lease takes the place over, and then it is not ours to leave. */
  readonly enteredRevision: number;
  /** See `ContenderLease.ttl`. */
  readonly ttl: number;
}

/** A key to take away. */
export interface PlaceToFree {
  readonly key: Uint8Array;
  /** Only if it is still the one that was created then; `undefined`: whichever it is. */
  readonly createRevision: number | undefined;
  readonly requestId: RequestId | undefined;
}

/** What freeing a place gave. */
export interface Freed {
  /** Whether there was something to free. */
  readonly freed: boolean;
  readonly revision: number;
  readonly replayed: boolean;
}

/** Who is first below a name, and how many are behind. */
export interface Standing {
  readonly first: KeyRecord | undefined;
  readonly waiting: number;
  /** The store's revision at which this was read. */
  readonly revision: number;
}

/** The queues of all names, as one member sees them. */
export class Queues {
  readonly #needs: RecipeDependencies;

  constructor(needs: RecipeDependencies) {
    this.#needs = needs;
  }

  /**
   * Enters and waits until nobody is ahead. When the call ends before that, the place is left again.
   *
   * @returns the place; `undefined` if it was lost while it waited: the lease has ended, or somebody deleted the key
   * @throws the reason of `signal`; QuorateError `not-found` if there is no such lease, `no-space`, and what
   *   `Proposer.propose` throws: with outcome `unknown` the place may be there until its lease ends
   */
  async waitInTurn(contender: Contender, signal: AbortSignal): Promise<Place | undefined> {
    signal.throwIfAborted();
    const place = await this.#enter(contender);
    const renewal = new Renewal(this.#needs, contender.lease);
    try {
      if (!(await this.#isFirst(place, renewal, signal))) return undefined;
      signal.throwIfAborted();
      return place;
    } catch (error) {
      await this.#leave(place);
      throw error;
    } finally {
      renewal.stop();
    }
  }

  /** Takes a place away, first or not. @throws what `Proposer.propose` throws */
  async free({ key, createRevision, requestId }: PlaceToFree, call: CallContext): Promise<Freed> {
    const condition = createRevision === undefined ? isThere(key) : isCreatedAt(key, createRevision);
    const { results, revision, replayed } = await this.#transact(
      { requestId, command: deleteIf(key, [condition]) },
      call,
    );
    const [done] = results;
    return { freed: done?.kind === 'delete' && done.deleted > 0, revision, replayed: replayed ?? false };
  }

  /** How things stand in this member's own copy. */
  standing(name: Uint8Array): Standing {
    const { records, count, revision } = this.#needs.reader.select(queueQuery(name, {}));
    return { first: records[0], waiting: Math.max(count - 1, 0), revision };
  }

  /**
   * Enters at the end, or takes over the place that the lease has already, with the new value. Does not end with the call
   * that asks for it: only once it is known whether there is a place can it be left again.
   */
  async #enter({ name, lease, value, form }: Contender): Promise<EnteredPlace> {
    const key = contenderKey(name, lease.id);
    const put = (grantTtl: number) => putOperation({ key, value, form, lease: lease.id, grantTtl });
    const command = unnamed({
      kind: 'txn',
      compares: [isCreatedAt(key, 0)],
      success: [put(lease.ttl)],
      failure: [put(0)],
    });
    const result = await this.#transact(command, stepOf(this.#needs));
    const [done] = result.results;
    assert(done?.kind === 'put', 'a contender enters by a put');
    const { createRevision, revision } = done;
    return { name, key, lease: lease.id, ttl: lease.ttl, createRevision, enteredRevision: revision };
  }

  /**
   * Waits until nobody is ahead. It looks at this member's own copy, which has applied the place and so everything ahead
   * of it; a leader is needed only at the end, to know that the place was not lost meanwhile.
   *
   * @returns false if the place is lost
   */
  async #isFirst(place: Place, renewal: Renewal, signal: AbortSignal): Promise<boolean> {
    for (;;) {
      signal.throwIfAborted();
      if (!this.#isHeld(place)) return false;
      const ahead = this.#nextAhead(place);
      if (ahead === undefined) break;
      await deletionOfAny(this.#needs.watches, [place.key, ahead.key], signal);
    }
    await renewal.finish();
    await this.#needs.proposer.readBarrier(stepOf(this.#needs));
    return this.#isHeld(place);
  }

  /**
   * Leaves, unless a later call has taken the place over. When that does not succeed within `recipeLimits.stepMs`, the
   * place ends with its lease.
   */
  async #leave(place: EnteredPlace): Promise<void> {
    const { key, lease, ttl, createRevision, enteredRevision } = place;
    const isOurs = [isCreatedAt(key, createRevision), isModifiedAt(key, enteredRevision)];
    try {
      const { succeeded } = await this.#transact(unnamed(deleteIf(key, isOurs)), stepOf(this.#needs));
      // Only now: while the lease is there, no other call can have entered with it.
      if (succeeded && ttl > 0)
        await propose(this.#needs, unnamed({ kind: 'lease-revoke', id: lease }), stepOf(this.#needs));
    } catch (error) {
      if (!(error instanceof QuorateError)) throw error;
      const { message: reason } = error;
      this.#needs.logger.warn({ reason }, 'a contender that gave up stays in its queue until its lease ends');
    }
  }

  #isHeld({ key, createRevision }: Place): boolean {
    return this.#needs.reader.get(key)?.createRevision === createRevision;
  }

  /** The youngest of those that are older. */
  #nextAhead({ name, createRevision }: Place): KeyRecord | undefined {
    const query = { maxCreateRevision: createRevision - 1, sortOrder: 'descend', keysOnly: true } as const;
    return this.#needs.reader.select(queueQuery(name, query)).records[0];
  }

  async #transact(command: Command, call: CallContext): Promise<TxnResult & Pick<Result, 'replayed'>> {
    const result = await propose(this.#needs, command, call);
    assert(result.kind === 'txn', 'the result of a transaction is that of a transaction');
    return result;
  }
}
