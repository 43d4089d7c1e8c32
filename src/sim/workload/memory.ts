/** What a client knows: names of things to work with, the newest revision it heard of, the request ids it has used. */
import { required } from '../../base/assert';
import type { Rng } from '../../base/rng';
import type { RequestId } from '../../kv/command';
import { pick } from '../world/chance';
import type { Answer, Mutation } from './call';
import type { DrawContext } from './operation-kind';

/** What all clients of a run share. */
export interface Vocabulary {
  readonly keys: readonly string[];
  readonly leasedKeys: readonly string[];
  readonly leases: readonly bigint[];
}

/** How many of its last changes a client remembers. */
const maxRemembered = 20;

/** The wall clock of all clients at the beginning of the world, milliseconds since 1970. */
const epochMs = 1_800_000_000_000;

/** Ids that clients choose for themselves lie below. */
const firstFreshLease = 1000n;

export class Memory {
  readonly #vocabulary: Vocabulary;
  readonly #client: number;
  readonly #nowMs: () => number;
  #revision = 1;
  readonly #named: Mutation[] = [];

  constructor(vocabulary: Vocabulary, client: number, nowMs: () => number) {
    this.#vocabulary = vocabulary;
    this.#client = client;
    this.#nowMs = nowMs;
  }

  /** What the call `id` is drawn from. */
  context(rng: Rng, id: number): DrawContext {
    const fresh = { freshValue: `v${id}`, freshLease: firstFreshLease + BigInt(id) };
    return { rng, ...this.#vocabulary, ...fresh, revision: this.#revision };
  }

  heard(answer: Answer | undefined): void {
    if (answer !== undefined) this.#revision = Math.max(this.#revision, answer.revision);
  }

  /** Gives a change a request id. Whoever is confused takes an old change, or an old id for the new one. */
  name(mutation: Mutation, { rng, id, isConfused }: { rng: Rng; id: number; isConfused: boolean }): Mutation {
    if (isConfused && this.#named.length > 0) {
      const old = pick(rng, this.#named);
      return pick(rng, [old, { ...mutation, requestId: required(old.requestId, 'what was named has a name') }]);
    }
    const named = { ...mutation, requestId: this.#freshId(id) };
    this.#named.push(named);
    if (this.#named.length > maxRemembered) this.#named.shift();
    return named;
  }

  /** A UUID of version 7 that no other call has. */
  #freshId(call: number): RequestId {
    const id = Buffer.alloc(16);
    id.writeUIntBE(epochMs + Math.floor(this.#nowMs()), 0, 6);
    id.writeUInt16BE(0x7000, 6);
    id.writeUInt32BE(0x8000_0000 + this.#client, 8);
    id.writeUInt32BE(call, 12);
    return id;
  }
}
