/** Opens the state that fits the log: the one that is there, or a snapshot whose installation a crash interrupted. */
import { assert } from '../base/assert';
import { QuorateError } from '../base/error';
import type { LogPosition } from '../raft';
import type { SqliteStore } from './sqlite-store';
import type { StateMedium } from './state-medium';

/** @throws QuorateError `refused-to-start` if no state reaches to where the log begins */
export function openReaching(logStart: LogPosition, medium: StateMedium): SqliteStore {
  const store = medium.open();
  const { appliedIndex, appliedTerm } = store.loaded;
  if (appliedIndex >= logStart.index) {
    if (appliedIndex > logStart.index || appliedTerm === logStart.term) {
      medium.removeReceived();
      return store;
    }
  } else if (medium.hasReceived(logStart)) {
    const installed = medium.switchTo(logStart, store);
    assertInstalled(installed, logStart);
    medium.removeReceived();
    return installed;
  }
  store.close();
  throw notReaching(logStart, { index: appliedIndex, term: appliedTerm });
}

export function assertInstalled({ loaded }: SqliteStore, { index, term }: LogPosition): void {
  assert(loaded.appliedIndex === index && loaded.appliedTerm === term, 'a snapshot ends where it was said to end');
}

function notReaching(logStart: LogPosition, found: LogPosition): QuorateError {
  const text = ({ index, term }: LogPosition) => `entry ${String(index)} of term ${String(term)}`;
  return new QuorateError(
    'refused-to-start',
    `the state database has applied ${text(found)}, but the log begins after ${text(logStart)}, and no snapshot that ends ` +
      'there was received: one of the files was lost, or is an older copy. Put back all files of the data directory as ' +
      'they were when the member stopped. If there are none, remove this member from the cluster and add it again under ' +
      'a new name with an empty data directory',
    { details: { limit: String(logStart.index), actual: String(found.index) } },
  );
}
