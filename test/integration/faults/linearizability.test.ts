/** 200,000 calls of every class under kill -9, SIGSTOP and partitions of real processes: what clients saw has an explanation. */
import { describeHistory } from '../../support/history/suite';

describeHistory(200_000);
