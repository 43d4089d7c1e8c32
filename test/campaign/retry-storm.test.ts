/** A retry storm of ten minutes; see test/integration/faults/retry-storm.test.ts. */
import { describeRetryStorm } from '../support/retry-storm-suite';

describeRetryStorm({ clients: 64, seconds: Number(process.env.STORM_SECONDS ?? 600) });
