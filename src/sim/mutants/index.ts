/** Every mutant. A new one is an entry in a list beside this file. */
import { driverMutants } from './driver';
import { electionMutants } from './elections';
import { leadershipMutants } from './leadership';
import { membershipMutants } from './membership';
import type { Mutant } from './mutant';
import { readMutants } from './reads';
import { replicationMutants } from './replication';
import { snapshotMutants } from './snapshots';
import { storeMutants } from './store';

export const mutants: readonly Mutant[] = [
  ...electionMutants,
  ...replicationMutants,
  ...readMutants,
  ...driverMutants,
  ...storeMutants,
  ...membershipMutants,
  ...snapshotMutants,
  ...leadershipMutants,
];
