/** The version of the program, from its package. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

let version: string | undefined;

/** `MAJOR.MINOR.PATCH`. */
export function programVersion(): string {
  version ??= (JSON.parse(readFileSync(join(__dirname, '../../package.json'), 'utf8')) as { version: string }).version;
  return version;
}
