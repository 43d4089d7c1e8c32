/** Clients that write all the time and remember what they were told, so that it can be held against the store. */
import { QuorateError, type KeyValue, type QuorateClient } from '../../src/client';
import { eventually } from './process-cluster';

/** What a writer was told of one key. Each key is written once, so that a second application shows in its version. */
type Told = 'acknowledged' | 'not-done' | 'unknown';

export interface Account {
  readonly told: ReadonlyMap<string, Told>;
  /** Longest time between two acknowledgements, any writer, ms. */
  readonly longestGapMs: number;
  readonly acknowledged: number;
}

/** Writes from several clients at a time until stopped. */
export class SteadyWriters {
  readonly #told = new Map<string, Told>();
  readonly #writers: readonly Promise<void>[];
  #isStopped = false;
  #acknowledged = 0;
  #lastAcknowledgedAt = performance.now();
  #longestGapMs = 0;

  /**
   * @param prefix of every key, different for each group of writers on one store
   * @param clients one writer each; a writer has one call in flight
   */
  constructor(prefix: string, clients: readonly QuorateClient[]) {
    this.#writers = clients.map((client, at) => this.#write(`${prefix}/${String(at)}`, client));
  }

  get acknowledged(): number {
    return this.#acknowledged;
  }

  get longestGapMs(): number {
    return this.#longestGapMs;
  }

  /** Waits until so many more writes are acknowledged. */
  async more(count: number, withinMs = 30_000): Promise<void> {
    const enough = this.#acknowledged + count;
    await eventually(withinMs, `${String(count)} acknowledged writes`, () =>
      Promise.resolve(this.#acknowledged >= enough ? true : undefined),
    );
  }

  /** Forgets the gaps so far. */
  resetGap(): void {
    this.#longestGapMs = 0;
    this.#lastAcknowledgedAt = performance.now();
  }

  async stop(): Promise<Account> {
    this.#isStopped = true;
    await Promise.all(this.#writers);
    return { told: this.#told, longestGapMs: this.#longestGapMs, acknowledged: this.#acknowledged };
  }

  async #write(prefix: string, client: QuorateClient): Promise<void> {
    for (let number = 0; !this.#isStopped; number++) {
      const key = `${prefix}/${String(number).padStart(8, '0')}`;
      try {
        await client.put(key, valueOf(key));
        this.#told.set(key, 'acknowledged');
        this.#acknowledged++;
        const now = performance.now();
        this.#longestGapMs = Math.max(this.#longestGapMs, now - this.#lastAcknowledgedAt);
        this.#lastAcknowledgedAt = now;
      } catch (error) {
        if (!(error instanceof QuorateError)) throw error;
        this.#told.set(key, error.outcome);
      }
    }
  }
}

export function valueOf(key: string): string {
  return `value of ${key}`;
}

/** What is wrong between what the writers were told and what a member holds; empty when all is well. */
export function contradictions(account: Account, contents: readonly KeyValue[]): readonly string[] {
  const found: string[] = [];
  const held = new Map(contents.map((record) => [record.key, record]));
  for (const [key, told] of account.told) {
    const record = held.get(key);
    if (told === 'acknowledged' && record === undefined) found.push(`${key} was acknowledged and is lost`);
    if (told === 'not-done' && record !== undefined) found.push(`${key} was said not to be done and is there`);
    if (record === undefined) continue;
    if (record.version !== 1) found.push(`${key} was applied ${String(record.version)} times`);
    if (record.value !== valueOf(key)) found.push(`${key} holds another value`);
  }
  return found;
}
