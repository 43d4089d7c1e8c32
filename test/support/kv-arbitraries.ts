/** Random commands and reads of the key-value state machine: few keys, leases and ids, so that they meet. */
import fc from 'fast-check';
import type {
  Command,
  Comparison,
  KeyRange,
  Operation,
  PlainCommand,
  PutOperation,
  RangeOperation,
  TxnOperation,
} from '../../src/kv/command';
import { rangeOfKey } from '../../src/kv/key-range';

// Few and short keys; bytes at the ends of the range, so that their order matters.
const keyByte = fc.constantFrom(0, 0x61, 0x62, 0x80, 0xff);
export const anyKey = fc.array(keyByte, { minLength: 1, maxLength: 2 }).map((list) => Buffer.from(list));
const value = fc.uint8Array({ maxLength: 20 }).map((bytes) => Buffer.from(bytes));
const lease = fc.constantFrom(0n, 1n, 2n, -3n);
const grantedLease = fc.constantFrom(1n, 2n, -3n);
/** Revisions of the past, of now, and of the future. */
const revision = fc.oneof(
  { weight: 2, arbitrary: fc.constant(0) },
  { weight: 3, arbitrary: fc.integer({ min: -1, max: 30 }) },
);

export const anyRange: fc.Arbitrary<KeyRange> = fc.oneof(
  anyKey.map(rangeOfKey),
  fc.record({ start: fc.oneof(anyKey, fc.constant(Buffer.alloc(0))), end: fc.option(anyKey, { nil: undefined }) }),
);

const anyPut: fc.Arbitrary<PutOperation> = fc
  .record({
    kind: fc.constant('put' as const),
    key: anyKey,
    value,
    form: fc.constantFrom('text' as const, 'bytes' as const),
    lease,
    grantTtl: fc.constantFrom(0, 0, 0, 7),
    keepValue: rarely(),
    keepLease: rarely(),
    returnPrevious: fc.boolean(),
  })
  .map((put) => (put.lease === 0n ? { ...put, grantTtl: 0 } : put));

const anyDelete = fc.record({ kind: fc.constant('delete' as const), range: anyRange, returnPrevious: fc.boolean() });

const bound = fc.constantFrom(0, 0, 0, -1, 3, 6);
export const anySelection: fc.Arbitrary<RangeOperation> = fc.record({
  kind: fc.constant('range' as const),
  range: anyRange,
  revision,
  limit: fc.constantFrom(0, 0, 1, 3),
  sortTarget: fc.constantFrom('key' as const, 'version' as const, 'create' as const, 'mod' as const, 'value' as const),
  sortOrder: fc.constantFrom('none' as const, 'ascend' as const, 'descend' as const),
  keysOnly: rarely(),
  countOnly: rarely(),
  minModRevision: bound,
  maxModRevision: bound,
  minCreateRevision: bound,
  maxCreateRevision: bound,
});

const anyComparison: fc.Arbitrary<Comparison> = fc.record({
  range: anyRange,
  operator: fc.constantFrom('equal' as const, 'greater' as const, 'less' as const, 'not-equal' as const),
  target: fc.oneof(
    fc.record({
      kind: fc.constantFrom('version' as const, 'create' as const, 'mod' as const),
      number: fc.integer({ min: -1, max: 8 }),
    }),
    fc.record({ kind: fc.constant('value' as const), value }),
    fc.record({ kind: fc.constant('lease' as const), lease }),
  ),
});

function anyTxn(operation: fc.Arbitrary<Operation>): fc.Arbitrary<TxnOperation> {
  const operations = fc.array(operation, { maxLength: 3 });
  const compares = fc.array(anyComparison, { maxLength: 2 });
  return fc.record({ kind: fc.constant('txn' as const), compares, success: operations, failure: operations });
}

const simpleOperation: fc.Arbitrary<Operation> = fc.oneof(
  { weight: 4, arbitrary: anyPut },
  { weight: 1, arbitrary: anyDelete },
  { weight: 2, arbitrary: anySelection },
);
const nestedOperation: fc.Arbitrary<Operation> = fc.oneof(
  { weight: 4, arbitrary: simpleOperation },
  { weight: 1, arbitrary: anyTxn(simpleOperation) },
);

/** A transaction of ranges. */
export const anyReadTxn: fc.Arbitrary<TxnOperation> = anyTxn(
  anySelection.map((range): Operation => ({ ...range, revision: 0 })),
);

const leaseCommand: fc.Arbitrary<PlainCommand> = fc.oneof(
  fc.record({ kind: fc.constant('lease-grant' as const), id: grantedLease, ttl: fc.integer({ min: 1, max: 90 }) }),
  fc.record({ kind: fc.constant('lease-revoke' as const), id: grantedLease }),
  fc.record({ kind: fc.constant('lease-renew' as const), ids: fc.array(grantedLease, { maxLength: 3 }) }),
  fc.record({
    kind: fc.constant('lease-expire' as const),
    term: fc.constantFrom(1, 1, 1, 2),
    leases: fc.array(fc.record({ id: grantedLease, grantIndex: fc.nat(30), renewals: fc.nat(2) }), { maxLength: 3 }),
  }),
);

const otherCommand: fc.Arbitrary<PlainCommand> = fc.oneof(
  fc.record({ kind: fc.constant('compact' as const), revision: fc.nat(30) }),
  fc.record({
    kind: fc.constant('advance-clock' as const),
    term: fc.constantFrom(1, 1, 2),
    elapsedMs: fc.constantFrom(0, 500, 3000),
  }),
  fc.record({
    kind: fc.constant('alarm' as const),
    action: fc.constantFrom('raise' as const, 'clear' as const, 'clear' as const, 'clear' as const),
    alarm: fc.constantFrom('no-space' as const, 'corrupt' as const, 'quota' as const),
    memberId: fc.constantFrom(0n, 2n ** 64n - 1n),
  }),
  fc.record({ kind: fc.constant('configure' as const), quotaBytes: fc.constantFrom(undefined, 0, 2 ** 40) }),
);

const plainCommand: fc.Arbitrary<PlainCommand> = fc.oneof(
  { weight: 8, arbitrary: anyPut },
  { weight: 3, arbitrary: anyDelete },
  { weight: 6, arbitrary: anyTxn(nestedOperation) },
  { weight: 5, arbitrary: leaseCommand },
  { weight: 3, arbitrary: otherCommand },
);

export const anyRequestId = fc.nat(9).map((number) => {
  const id = Buffer.alloc(16, 7);
  id[5] = number;
  return id;
});

export const anyCommand: fc.Arbitrary<Command> = fc.record({
  requestId: fc.option(anyRequestId, { nil: undefined, freq: 2 }),
  command: plainCommand,
});

function rarely(): fc.Arbitrary<boolean> {
  return fc.constantFrom(false, false, false, true);
}
