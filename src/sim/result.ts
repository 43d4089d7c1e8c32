/** What came of several seeds. */
import type { Volume } from './volume';

export interface Result {
  readonly volume: Volume;
  readonly failures: readonly string[];
  /** Time on a processor, of all processes together: what else runs on the machine does not count. */
  readonly cpuMs: number;
}
