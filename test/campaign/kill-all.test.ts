/** kill -9 of all members at once, more often; see test/integration/faults/kill-all.test.ts. In CI too. */
import { describeKillAll } from '../support/kill-all-suite';

describeKillAll(Number(process.env.KILL_ROUNDS ?? 30));
