/** What an option is, and how a wrong one is refused. */
import { QuorateError } from '../base/error';
import type { ValueKind } from './option-values';

/** One option. */
export interface OptionSpec<T> {
  /** The flag without its dashes; also the key in the YAML file, and with `QUORATE_` in capitals the variable. */
  readonly flag: string;
  readonly kind: ValueKind<T>;
  /** What holds when nobody says anything; `undefined` when `whenAbsent` tells. */
  readonly default: T | undefined;
  /** What it means to leave out an option that has no default. */
  readonly whenAbsent?: string;
  readonly help: string;
}

/** An option for each setting. */
export type OptionTable<Settings> = { readonly [K in keyof Settings]: OptionSpec<NonNullable<Settings[K]>> };

/** The error for an option that cannot be. */
export function refusal(field: string, message: string, limit: string, actual: string): QuorateError {
  return new QuorateError('refused-to-start', message, { details: { field, limit, actual } });
}
