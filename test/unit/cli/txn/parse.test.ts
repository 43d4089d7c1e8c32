import { op, when } from '../../../../src/client';
import { parseTxn } from '../../../../src/cli/txn/parse';

describe('a transaction in text', () => {
  it('has conditions and two lists', () => {
    const text = `
      # moves a name, if nobody did
      if
        mod-revision users/1 = 7
        absent users/2
      then
        put users/2 "Ann Lee" ttl=90s previous
        del users/1          # the old one
      else
        get users/1
    `;
    expect(parseTxn(text)).toEqual({
      conditions: [when.modRevision('users/1', '=', 7), when.absent('users/2')],
      success: [op.put('users/2', 'Ann Lee', { ttlMs: 90_000, returnPrevious: true }), deleted('users/1')],
      failure: [op.get('users/1')],
    });
  });

  it('compares every property, of one key or of many', () => {
    const text = `if
      exists a
      version prefix b/ > 2
      create-revision range c d < 9
      value all != "x y"
      value e = base64"AP8="
      lease f = 77`;
    expect(parseTxn(text).conditions).toEqual([
      when.exists('a'),
      when.version({ kind: 'prefix', prefix: 'b/' }, '>', 2),
      when.createRevision({ kind: 'range', start: 'c', end: 'd' }, '<', 9),
      when.value({ kind: 'all' }, '!=', 'x y'),
      when.value('e', '=', Buffer.from([0, 255])),
      when.lease('f', '=', 77n),
    ]);
  });

  it('may consist of operations alone, with their options', () => {
    const text = `then
      put a "" lease=-5
      put b base64"AAEC" keep-lease
      list prefix c/ limit=10 keys-only
      list all count-only
      del range d e
      del f previous`;
    expect(parseTxn(text)).toEqual({
      conditions: [],
      success: [
        op.put('a', '', { leaseId: -5n }),
        op.put('b', Buffer.from([0, 1, 2]), { keepLease: true }),
        op.list({ kind: 'prefix', prefix: 'c/' }, { limit: 10, keysOnly: true }),
        op.list({ kind: 'all' }, { countOnly: true }),
        op.deleteRange({ kind: 'range', start: 'd', end: 'e' }),
        op.delete('f', { returnPrevious: true }),
      ],
      failure: [],
    });
  });

  it('takes a quoted word for a key, whatever it says', () => {
    const { success } = parseTxn('then\n del "prefix"\n get "all\\n#"');
    expect(success).toEqual([deleted('prefix'), op.get('all\n#')]);
  });

  it.each([
    ['put a 1', "line 1: a transaction begins with 'if' or 'then'"],
    ['then\n put a', 'line 2: the value is missing'],
    ['then\n get a b', 'line 2: nothing should follow, but there is b'],
    ['then\n get "a', 'line 2: a quote is not closed'],
    ['then\n get a"b"', 'line 2: a quote'],
    ['then\n put a 1 ttl=5', "line 2: '5': It must be a number above 0 with a unit"],
    ['if\n version a 3', 'line 2: an operator must follow'],
    ['if\n version a = x', "line 2: 'x': It must be a whole number"],
    ['if\n size a = 3', 'line 2: a condition begins with one of exists'],
    ['then\n list c', "line 2: 'all', 'prefix TEXT' or 'range START END' must follow"],
    ['then\nif', "line 2: 'if' cannot follow 'then'"],
    ['then\n drop a', 'line 2: an operation begins with put, get, list or del'],
    ['then\n get base64"AA=="', 'line 2: the key is text, not bytes'],
  ])('names the line that is wrong: %j', (text, message) => {
    expect(() => parseTxn(text)).toThrow(
      expect.objectContaining({ code: 'invalid-argument', message: expect.stringContaining(message) }) as Error,
    );
  });
});

function deleted(key: string) {
  return op.delete(key, { returnPrevious: false });
}
