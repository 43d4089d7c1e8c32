/** Gives SQLite's errors their place among ours. */
import { QuorateError } from '../base/error';

/** What the parts of one open state database have in common: how they fail. */
export class SqliteGuard {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  /** Runs `work`; SQLite's errors become `damaged`. */
  expect<T>(done: string, work: () => T): T {
    return expectSqlite(this.path, done, work);
  }

  /** @throws QuorateError `damaged` unless as many rows were found as there should be */
  expectRows(found: number, expected: number): void {
    if (found === expected) return;
    throw this.damaged(`it has ${String(found)} rows of ${String(expected)}: some are missing`);
  }

  damaged(what: string): QuorateError {
    return new QuorateError('damaged', `the state database ${this.path} is damaged: ${what}`);
  }
}

/** Runs `work` and gives SQLite's errors their place among ours; all others pass unchanged. */
export function expectSqlite<T>(path: string, done: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!isSqliteError(error)) throw error;
    const refused = done === 'opened' && !/CORRUPT|NOTADB|IOERR/.test(error.code);
    const message = `the state database ${path} could not be ${done}: ${error.message} (${error.code})`;
    throw new QuorateError(refused ? 'refused-to-start' : 'damaged', message, { cause: error });
  }
}

/** By name, not by class: the addon keeps the class of whoever loaded it first, and others may load it again. */
export function isSqliteError(error: unknown): error is Error & { readonly code: string } {
  return typeof error === 'object' && error !== null && 'name' in error && error.name === 'SqliteError';
}
