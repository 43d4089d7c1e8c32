/** 200,000 calls under kill -9, SIGSTOP and partitions of real processes; `HISTORY_OPERATIONS` for more. */
import { describeHistory } from '../support/history/suite';

describeHistory(200_000);
