/** 64 clients repeat every change up to five times, through any member, while leaders die: each is done exactly once. */
import { describeRetryStorm } from '../../support/retry-storm-suite';

describeRetryStorm({ clients: 64, seconds: 40 });
