/** Every mutant. A new one is an entry in a list beside this file. */
import { driverMutants } from './driver';
import { electionMutants } from './elections';
import { leadershipMutants } from './leadership';
import { leaseMutants } from './leases';
import { membershipMutants } from './membership';
import type { Mutant } from './mutant';
import { readMutants } from './reads';
import { replicationMutants } from './replication';
import { snapshotMutants } from './snapshots';
import { requestMutants } from './requests';
import { storeMutants } from './store';
import { watchMutants } from './watches';

export const mutants: readonly Mutant[] = [
  ...electionMutants,
  ...replicationMutants,
  ...readMutants,
  ...driverMutants,
  ...storeMutants,
  ...membershipMutants,
  ...snapshotMutants,
  ...leadershipMutants,
  ...leaseMutants,
  ...requestMutants,
  ...watchMutants,
];
