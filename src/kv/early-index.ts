/** The index of a large state, had from elsewhere while the member's thread is busy: a file that was saved, or a thread of its own. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { deferred, type Deferred } from '../base/deferred';
import { QuorateError } from '../base/error';
import type { EarlyIndexMessage, EarlyIndexOptions } from './early-index-protocol';
import { IndexBuilder } from './index-builder';
import { readSavedIndex } from './saved-index';
import type { LoadedIndex } from './sorted-index';
import { SqliteGuard } from './sqlite-guard';
import type { MetaFacts } from './sqlite-meta';
import { largeStateBytes, savedIndexPath, stateBytes } from './state-files';

/** An index, and the counters of the state that it is of. */
export interface EarlyIndex extends LoadedIndex {
  readonly facts: MetaFacts;
  /** Where it was saved, what the state's rows must add up to: none of them has been looked at. */
  readonly sum?: number;
}

/**
 * An index, and why a saved one was of no use, should there be one; or none, since the state is small or nobody wants it any
 * more; or why it could not be read.
 */
export type EarlyOutcome =
  | { readonly kind: 'read'; readonly early: EarlyIndex; readonly useless?: string }
  | { readonly kind: 'none' }
  | { readonly kind: 'failed'; readonly reason: string };

/**
 * Reads from its making on. Nothing is promised but time (N7): whoever opens the state compares its counters with those of the
 * index, and reads it himself if they differ, or if there is none; so every failure is told by him, as it would be without.
 */
export class EarlyIndexReading {
  /** Never rejects. */
  readonly outcome: Promise<EarlyOutcome>;
  readonly #outcome: Deferred<EarlyOutcome> = deferred();
  readonly #path: string;
  readonly #builder: IndexBuilder;
  #worker: Worker | undefined;
  #isStopped = false;
  #useless: string | undefined;

  constructor(path: string, minBytes = largeStateBytes) {
    this.outcome = this.#outcome.promise;
    this.#path = path;
    this.#builder = new IndexBuilder(new SqliteGuard(path));
    if (stateBytes(path) < minBytes) this.#outcome.resolve({ kind: 'none' });
    else if (existsSync(savedIndexPath(path))) void this.#readSaved();
    else this.#readRows();
  }

  /** Ends the thread, whether it is done or not. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#outcome.resolve({ kind: 'none' });
    await this.#worker?.terminate();
  }

  async #readSaved(): Promise<void> {
    const outcome = await readSavedIndex(this.#path);
    if (this.#isStopped) return;
    if (outcome.kind === 'read') {
      this.#outcome.resolve({ kind: 'read', early: outcome.saved });
      return;
    }
    this.#useless = outcome.reason;
    this.#readRows();
  }

  #readRows(): void {
    const workerData: EarlyIndexOptions = { path: this.#path };
    this.#worker = new Worker(join(__dirname, 'sqlite-early-index-worker.js'), { workerData, name: 'quorate-index' });
    this.#worker.on('message', (message: EarlyIndexMessage) => {
      this.#take(message);
    });
    this.#worker.on('error', (error) => {
      this.#fail(`its thread crashed: ${error.message}`);
    });
    this.#worker.on('exit', (code) => {
      this.#fail(`its thread ended with code ${String(code)}`);
    });
  }

  #take(message: EarlyIndexMessage): void {
    try {
      if (message.kind === 'page') this.#builder.add(message.page);
      else if (message.kind === 'failed') this.#fail(message.reason);
      else this.#finish(message.facts);
    } catch (error) {
      if (!(error instanceof QuorateError)) throw error;
      this.#fail(error.message);
      void this.stop();
    }
  }

  #finish(facts: MetaFacts): void {
    const steps = this.#builder.finish(facts);
    let step = steps.next();
    while (step.done !== true) step = steps.next();
    const useless = this.#useless === undefined ? {} : { useless: this.#useless };
    this.#outcome.resolve({ kind: 'read', early: { ...step.value, facts }, ...useless });
  }

  /** After the outcome this says nothing new. */
  #fail(reason: string): void {
    this.#outcome.resolve({ kind: 'failed', reason });
  }
}
