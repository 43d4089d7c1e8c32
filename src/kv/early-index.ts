/** The index of a large state, read in a thread of its own while the member's thread is busy with other things. */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { deferred, type Deferred } from '../base/deferred';
import { QuorateError } from '../base/error';
import type { EarlyIndexMessage, EarlyIndexOptions } from './early-index-protocol';
import { IndexBuilder, type LoadedIndex } from './index-builder';
import { SqliteGuard } from './sqlite-guard';
import type { MetaFacts } from './sqlite-meta';

/** An index, and the counters of the state that it is of. */
export interface EarlyIndex extends LoadedIndex {
  readonly facts: MetaFacts;
}

/** An index; or none, since the state is small or nobody wants it any more; or why it could not be read. */
export type EarlyOutcome =
  | { readonly kind: 'read'; readonly early: EarlyIndex }
  | { readonly kind: 'none' }
  | { readonly kind: 'failed'; readonly reason: string };

/** Bytes of a state from which on another thread is worth its start: below, reading takes about as long as that. */
const largeBytes = 8 * 1024 * 1024;

/**
 * Reads from its making on. Nothing is promised but time: whoever opens the state compares its counters with those of the
 * index, and reads it himself if they differ, or if there is none; so every failure is told by him, as it would be without.
 */
export class EarlyIndexReading {
  /** Never rejects. */
  readonly outcome: Promise<EarlyOutcome>;
  readonly #outcome: Deferred<EarlyOutcome> = deferred();
  readonly #builder: IndexBuilder;
  readonly #worker: Worker | undefined;

  constructor(path: string, minBytes = largeBytes) {
    this.outcome = this.#outcome.promise;
    this.#builder = new IndexBuilder(new SqliteGuard(path));
    if (sizeOf(path) < minBytes) {
      this.#outcome.resolve({ kind: 'none' });
      return;
    }
    const workerData: EarlyIndexOptions = { path };
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

  /** Ends the thread, whether it is done or not. */
  async stop(): Promise<void> {
    this.#outcome.resolve({ kind: 'none' });
    await this.#worker?.terminate();
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
    this.#outcome.resolve({ kind: 'read', early: { ...step.value, facts } });
  }

  /** After the outcome this says nothing new. */
  #fail(reason: string): void {
    this.#outcome.resolve({ kind: 'failed', reason });
  }
}

/** 0 if that cannot be told: why not, the opening tells. After a crash most of a state may be in its write-ahead log. */
function sizeOf(path: string): number {
  try {
    const sizes = ['', '-wal'].map((suffix) => statSync(path + suffix, { throwIfNoEntry: false })?.size ?? 0);
    return Math.max(...sizes);
  } catch {
    return 0;
  }
}
