/** Commands in their simplest form. */
import { noLease, type Command, type DeleteOperation, type PlainCommand, type PutOperation } from './command';
import { rangeOfKey } from './key-range';

/** What every put must say; the rest means a put as it was always known. */
export type PlainPut = Pick<PutOperation, 'key' | 'value' | 'form'> & Partial<PutOperation>;

/** A put without a lease that tells nothing of the record before, unless `put` says otherwise. */
export function putOperation(put: PlainPut): PutOperation {
  return {
    kind: 'put',
    key: put.key,
    value: put.value,
    form: put.form,
    lease: put.lease ?? noLease,
    grantTtl: put.grantTtl ?? 0,
    keepValue: put.keepValue ?? false,
    keepLease: put.keepLease ?? false,
    returnPrevious: put.returnPrevious ?? false,
  };
}

/** Removes one key. */
export function deleteOperation(key: Uint8Array): DeleteOperation {
  return { kind: 'delete', range: rangeOfKey(key), returnPrevious: false };
}

/** A command that may take effect more than once, if it is proposed more than once. */
export function unnamed(command: PlainCommand): Command {
  return { requestId: undefined, command };
}
