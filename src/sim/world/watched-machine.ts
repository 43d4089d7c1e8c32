/** The state machine with somebody looking on. */
import type { Entry, StateMachine } from '../../raft';
import type { Result } from '../../kv/result';

export interface ApplyObserver {
  before(): void;
  /** The results as text: equal for equal results. */
  after(entries: readonly Entry[], results: readonly string[]): void;
}

export class WatchedMachine implements StateMachine<Result> {
  readonly #inner: StateMachine<Result>;
  readonly #observer: ApplyObserver;

  constructor(inner: StateMachine<Result>, observer: ApplyObserver) {
    this.#inner = inner;
    this.#observer = observer;
  }

  get appliedIndex(): number {
    return this.#inner.appliedIndex;
  }

  get appliedTerm(): number {
    return this.#inner.appliedTerm;
  }

  apply(entries: readonly Entry[]): readonly (Result | undefined)[] {
    this.#observer.before();
    const results = this.#inner.apply(entries);
    this.#observer.after(entries, results.map(textOf));
    return results;
  }

  close(): void {
    this.#inner.close();
  }
}

function textOf(result: Result | undefined): string {
  return result === undefined ? '' : JSON.stringify(result);
}
