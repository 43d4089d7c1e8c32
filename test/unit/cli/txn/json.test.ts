import { op, when } from '../../../../src/client';
import { parseTxnJson } from '../../../../src/cli/txn/json';

describe('a transaction in JSON', () => {
  it('has conditions and two lists, and may nest', () => {
    const text = JSON.stringify({
      if: [
        { key: 'a', version: 0 },
        { prefix: 'b/', operator: '>', modRevision: 7 },
        { key: 'c', operator: '!=', data: 'AP8=' },
        { all: true, leaseId: '-9' },
      ],
      then: [
        { put: 'a', text: '1', ttl: '30s' },
        { put: 'b', data: 'AAEC', leaseId: '5', returnPrevious: true },
        { list: { range: ['c', 'd'] }, limit: 5, keysOnly: true },
        { del: 'e', returnPrevious: true },
        { del: { prefix: 'f/' } },
        { txn: { if: [{ key: 'a', text: '1' }], then: [{ get: 'a' }] } },
      ],
    });
    const flags = { keepLease: false, returnPrevious: false };
    expect(parseTxnJson(text)).toEqual({
      conditions: [
        when.version('a', '=', 0),
        when.modRevision({ kind: 'prefix', prefix: 'b/' }, '>', 7),
        when.value('c', '!=', Buffer.from([0, 255])),
        when.lease({ kind: 'all' }, '=', -9n),
      ],
      success: [
        op.put('a', '1', { ttlMs: 30_000, ...flags }),
        op.put('b', Buffer.from([0, 1, 2]), { ...flags, leaseId: 5n, returnPrevious: true }),
        op.list({ kind: 'range', start: 'c', end: 'd' }, { limit: 5, keysOnly: true, countOnly: false }),
        op.delete('e', { returnPrevious: true }),
        op.deleteRange({ kind: 'prefix', prefix: 'f/' }),
        op.txn({ conditions: [when.value('a', '=', '1')], success: [op.get('a')] }),
      ],
      failure: [],
    });
  });

  it.each([
    ['{', 'JSON: '],
    ['{"when":[]}', 'the transaction: has a field that is not known there: when'],
    ['{"then":{}}', 'the transaction.then: must be a list'],
    ['{"then":[{"put":"a"}]}', 'the transaction.then[0]: must have exactly one of text, data'],
    ['{"then":[{"put":"a","get":"a"}]}', 'the transaction.then[0]: must have exactly one of put, get'],
    ['{"then":[{"get":"a","limit":1}]}', 'the transaction.then[0]: has a field that is not known there: limit'],
    ['{"then":[{"put":"a","text":"1","ttl":"5"}]}', "the transaction.then[0].ttl: '5': It must be"],
    ['{"if":[{"key":"a","operator":"~","version":1}]}', 'the transaction.if[0].operator: must be one of'],
    ['{"if":[{"key":"a","version":"1"}]}', 'the transaction.if[0].version: must be a whole number'],
    ['{"if":[{"key":"a","version":1,"text":"b"}]}', 'the transaction.if[0]: must have exactly one of version'],
    ['{"if":[{"key":"a","leaseId":"x"}]}', "the transaction.if[0].leaseId: 'x': "],
  ])('names the place that is wrong: %s', (text, message) => {
    expect(() => parseTxnJson(text)).toThrow(
      expect.objectContaining({ code: 'invalid-argument', message: expect.stringContaining(message) }) as Error,
    );
  });
});
