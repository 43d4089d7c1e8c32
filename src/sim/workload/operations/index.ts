/** Every class of operation that clients use. A new one is a file here and a line in this list. */
import type { OperationKind } from '../operation-kind';
import { compact } from './compact';
import { configure } from './configure';
import { deleteKey } from './delete';
import { deleteRange } from './delete-range';
import { get } from './get';
import { leaseKinds } from './leases';
import { list } from './list';
import { put } from './put';
import { putLeased } from './put-leased';
import { readPast } from './read-past';
import { select } from './select';
import { staleGet } from './stale-get';
import { compareAndSwap, transaction } from './txn';

/** Every seed has these. */
export const basicKinds: readonly OperationKind[] = [put, deleteKey, get, list, staleGet];

/** Groups of kinds, by name: a seed has some of them (swarm testing). */
export const kindGroups: ReadonlyMap<string, readonly OperationKind[]> = new Map([
  ['transactions', [compareAndSwap, transaction]],
  ['ranges', [deleteRange, select]],
  ['history', [readPast, compact]],
  ['leases', [...leaseKinds, putLeased]],
  ['quota', [configure]],
]);
