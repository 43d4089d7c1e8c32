/** Takes commands of several callers into one entry, and its result apart again. */
import { assert } from '../base/assert';
import { isSingle, joinCommands } from './command-codec';
import type { Result } from './result';

/** For the node, which knows commands as bytes only: its `CommandGroups`. */
export const commandGroups = {
  mayShare: isSingle,
  join: joinCommands,
  split(result: Result): readonly Result[] {
    assert(result.kind === 'batch', 'several commands in one entry have several results');
    return result.results;
  },
} as const;
