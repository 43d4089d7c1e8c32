/** What an operation kind is: how often clients choose it, and how they draw one. */
import type { Rng } from '../../base/rng';
import type { Operation } from './call';

/** What there is to draw from. */
export interface DrawContext {
  readonly rng: Rng;
  /** Few, so that calls meet. */
  readonly keys: readonly string[];
  /** A value that no other call writes. */
  readonly freshValue: string;
}

export interface OperationKind {
  readonly name: string;
  /** How often it is chosen, compared with the others. */
  readonly weight: number;
  draw(context: DrawContext): Operation;
}
