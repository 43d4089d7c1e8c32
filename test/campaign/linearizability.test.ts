/** Two million calls under kill -9, SIGSTOP and partitions of real processes: about half an hour. */
import { describeHistory } from '../support/history/suite';

describeHistory(2_000_000);
