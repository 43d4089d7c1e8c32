/** Every class of operation that clients use. A new one is a file here and a line in this list. */
import type { OperationKind } from '../operation-kind';
import { deleteKey } from './delete';
import { get } from './get';
import { list } from './list';
import { put } from './put';
import { staleGet } from './stale-get';

export const operationKinds: readonly OperationKind[] = [put, deleteKey, get, list, staleGet];
