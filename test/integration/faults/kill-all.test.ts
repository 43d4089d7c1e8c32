/** kill -9 of all members at once, again and again, under load: every acknowledged write is there after each restart. */
import { describeKillAll } from '../../support/kill-all-suite';

describeKillAll(8);
