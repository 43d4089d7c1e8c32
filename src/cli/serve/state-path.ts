/** Where a member has its state. */
import { join } from 'node:path';
import type { ServeOptions } from '../../ops/options';

export function statePathOf({ dataDir }: Pick<ServeOptions, 'dataDir'>): string {
  return join(dataDir, 'state.db');
}
