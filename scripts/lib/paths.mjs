// Where things are: the root of the checkout, and the tools that the packages bring.
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The root of the checkout. */
export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/** Scratch space of the scripts: logs, reports, copies. Never committed; may be deleted at any time. */
export const scratch = join(root, '.cache');

/** A path below the root. */
export const at = (...parts) => join(root, ...parts);

/** The command that starts a tool of `node_modules/.bin` on this very Node, without a shell in between. */
export const tool = (name) => [process.execPath, at('node_modules', '.bin', name)];
