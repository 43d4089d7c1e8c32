/** What a mutant is: one deliberate mistake, put into a copy of the built program. */

export interface Mutant {
  /** What the mistaken program does, in a few words. */
  readonly name: string;
  /** The invariant that suffers. */
  readonly breaks: string;
  /** Below `dist/`, without its ending. */
  readonly file: string;
  /** Stands exactly once in the file. */
  readonly find: string;
  readonly replace: string;
  /** It must be found within so many seeds. */
  readonly seeds: number;
}

/** Most mistakes show at once. */
export const soon = 20;
/** Some need several faults to meet. */
export const later = 200;
/** A few hide between two messages. */
export const rarely = 1000;
