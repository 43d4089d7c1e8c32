/** Every mutant. A new one is an entry in a list beside this file. */
import { driverMutants } from './driver';
import { electionMutants } from './elections';
import type { Mutant } from './mutant';
import { readMutants } from './reads';
import { replicationMutants } from './replication';
import { storeMutants } from './store';

export const mutants: readonly Mutant[] = [
  ...electionMutants,
  ...replicationMutants,
  ...readMutants,
  ...driverMutants,
  ...storeMutants,
];
