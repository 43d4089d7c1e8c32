/**
 * Calls of every class under kill -9, SIGSTOP and partitions of real processes: what clients saw has an explanation. The
 * campaign of the same name makes ten times as many, in CI too.
 */
import { describeHistory } from '../../support/history/suite';

describeHistory(20_000);
