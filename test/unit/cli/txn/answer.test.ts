import { answerLines } from '../../../../src/cli/txn';
import type { KeyValue } from '../../../../src/client';

const kv: KeyValue = {
  ...{ key: 'a', value: 'x\ty', createRevision: 2, modRevision: 3, version: 2 },
  leaseId: undefined,
};

describe('the answer to a transaction', () => {
  it('has a line for each operation', () => {
    const lines = answerLines({
      succeeded: true,
      results: [
        { kind: 'put', createRevision: 2, version: 2, previous: kv, leaseId: undefined },
        { kind: 'get', kv },
        { kind: 'get', kv: undefined },
        { kind: 'list', kvs: [kv], more: false, count: 1 },
        { kind: 'delete', deleted: false, previous: undefined },
        { kind: 'delete-range', deleted: 2 },
        { kind: 'txn', succeeded: false, results: [{ kind: 'get', kv }] },
      ],
      revision: 9,
      replayed: false,
    });
    expect(lines).toEqual([
      'The conditions hold, revision 9',
      '  put: version 2, before: x\\ty',
      '  get: x\\ty',
      '  get: not there',
      '  list: 1 key',
      '    a  x\\ty',
      '  del: not there',
      '  del: 2 keys deleted',
      '  txn: the conditions do not hold',
      '    get: x\\ty',
    ]);
  });
});
