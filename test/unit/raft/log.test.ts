import { RaftLog } from '../../../src/raft/log';
import { drawLog, logStart, parseLog, parsePosition } from '../../support/raft';

/** `inMemory`: how many of the newest entries. */
function log(text: string, inMemory?: number, termBeforeFirst = 0): RaftLog {
  return new RaftLog(logStart(parseLog(text), inMemory, termBeforeFirst));
}

describe('An empty log', () => {
  it('ends before its first entry, in term 0', () => {
    const empty = log('');
    expect(empty).toMatchObject({ firstIndex: 1, lastIndex: 0, lastTerm: 0, last: { index: 0, term: 0 } });
    expect(empty.termAt(0)).toBe(0);
    expect(empty.termAt(1)).toBeUndefined();
    expect(empty.slice(1, 0, 100)).toEqual([]);
  });

  it('takes entries', () => {
    const growing = log('');
    growing.append(parseLog('1:1 2:1 3:4'));
    expect(growing.last).toEqual({ index: 3, term: 4 });
  });
});

describe('Terms', () => {
  it.each([1, 3, 7])('are known of all entries, also with only %i in memory', (inMemory) => {
    const held = log('1:1 2:1 3:1 4:3 5:3 6:4 7:9', inMemory);
    expect([0, 1, 2, 3, 4, 5, 6, 7].map((index) => held.termAt(index))).toEqual([0, 1, 1, 1, 3, 3, 4, 9]);
    expect(held.termAt(-1)).toBeUndefined();
    expect(held.termAt(8)).toBeUndefined();
  });

  it('are known just before the first entry, not further back', () => {
    const held = log('5:3 6:3 7:4', undefined, 2);
    expect([3, 4, 5, 7, 8].map((index) => held.termAt(index))).toEqual([undefined, 2, 3, 4, undefined]);
    expect(held.holds({ index: 4, term: 2 })).toBe(true);
    expect(held.holds({ index: 3, term: 2 })).toBe(false);
  });

  it('never fall', () => {
    expect(() => {
      log('1:3').append(parseLog('2:2'));
    }).toThrow('terms never fall along a log');
  });
});

describe('lastAtMost', () => {
  it.each([
    [7, 9, '7:9'],
    [99, 9, '7:9'],
    [7, 8, '6:4'],
    [6, 3, '5:3'],
    [4, 3, '4:3'],
    [7, 2, '3:1'],
    [2, 2, '2:1'],
    [7, 0, '0:0'],
    [0, 5, '0:0'],
  ])('of index %i and term %i is %s', (index, term, expected) => {
    expect(log('1:1 2:1 3:1 4:3 5:3 6:4 7:9', 2).lastAtMost(index, term)).toEqual(parsePosition(expected));
  });
});

describe('isUpToDate (§5.4.1)', () => {
  it.each([
    ['3:2', true],
    ['4:2', true],
    ['2:2', false],
    ['1:3', true],
    ['9:1', false],
  ])('a log that ends at %s: %s', (last, expected) => {
    expect(log('1:1 2:2 3:2').isUpToDate(parsePosition(last))).toBe(expected);
  });
});

describe('truncateSuffix', () => {
  it.each([
    [3, '1:1 2:1'],
    [4, '1:1 2:1 3:2'],
    [1, ''],
    [6, '1:1 2:1 3:2 4:2 5:4'],
  ])('from %i on leaves %j', (index, expected) => {
    const held = log('1:1 2:1 3:2 4:2 5:4');
    held.truncateSuffix(index);
    expect(drawLog(held.slice(1, held.lastIndex, Infinity) ?? [])).toBe(expected);
    expect(held.lastIndex).toBe(index - 1);
    expect(held.lastTerm).toBe(parseLog(expected).at(-1)?.term ?? 0);
  });

  it('reaches below what is in memory; new entries follow there', () => {
    const held = log('1:1 2:1 3:2 4:2 5:4', 2);
    held.truncateSuffix(3);
    expect(held).toMatchObject({ lastIndex: 2, lastTerm: 1, cacheFirst: 3 });
    held.append(parseLog('3:5 4:5'));
    expect(drawLog(held.slice(3, 4, Infinity) ?? [])).toBe('3:5 4:5');
    expect(held.slice(2, 4, Infinity)).toBeUndefined();
    expect([2, 3, 4].map((index) => held.termAt(index))).toEqual([1, 5, 5]);
  });

  it('within a run of equal terms keeps the run', () => {
    const held = log('1:1 2:1 3:1');
    held.truncateSuffix(2);
    held.append(parseLog('2:1 3:2'));
    expect([1, 2, 3].map((index) => held.termAt(index))).toEqual([1, 1, 2]);
  });

  it('does not reach before the first entry', () => {
    expect(() => {
      log('5:3 6:3', undefined, 2).truncateSuffix(4);
    }).toThrow('what is removed lies within the log');
  });
});

describe('slice', () => {
  // Each payload is as long as its text: three bytes, and counts 64 beside them.
  it.each([
    [1, 5, Infinity, '1:1 2:1 3:2 4:2 5:4'],
    [2, 3, Infinity, '2:1 3:2'],
    [1, 5, 201, '1:1 2:1 3:2'],
    [1, 5, 200, '1:1 2:1'],
    [2, 5, 1, '2:1'],
    [4, 4, 0, '4:2'],
  ])('from %i to %i within %d bytes is %j', (first, last, maxBytes, expected) => {
    expect(drawLog(log('1:1 2:1 3:2 4:2 5:4').slice(first, last, maxBytes) ?? [])).toBe(expected);
  });

  it('misses what is not in memory', () => {
    const held = log('1:1 2:1 3:2 4:2 5:4', 2);
    expect(held.slice(3, 5, Infinity)).toBeUndefined();
    expect(drawLog(held.slice(4, 5, Infinity) ?? [])).toBe('4:2 5:4');
  });
});

describe('evict', () => {
  it('drops the oldest entries beyond the bytes allowed, and no newer ones than told', () => {
    const held = log('1:1 2:1 3:2 4:2 5:4');
    held.evict(5, 335);
    expect(held.cacheFirst).toBe(1);
    held.evict(1, 134);
    expect(held.cacheFirst).toBe(2);
    held.evict(5, 134);
    expect(held.cacheFirst).toBe(4);
    expect(drawLog(held.slice(4, 5, Infinity) ?? [])).toBe('4:2 5:4');
    expect(held.sizeAt(4)).toBe(67);
    expect(held.sizeAt(3)).toBe(0);
  });

  it('may drop everything; what comes after is in memory again', () => {
    const held = log('1:1 2:1');
    held.evict(2, 0);
    expect(held.cacheFirst).toBe(3);
    held.append(parseLog('3:1'));
    expect(drawLog(held.slice(3, 3, Infinity) ?? [])).toBe('3:1');
    expect([1, 2, 3].map((index) => held.termAt(index))).toEqual([1, 1, 1]);
  });

  it('counts what a truncation freed', () => {
    const held = log('1:1 2:1 3:2 4:2 5:4');
    held.truncateSuffix(3);
    held.evict(2, 134);
    expect(held.cacheFirst).toBe(1);
  });
});

describe('What a log refuses', () => {
  it('a gap', () => {
    expect(() => {
      log('1:1').append(parseLog('3:1'));
    }).toThrow('an appended entry follows the last one');
  });

  it('a question about what is not there', () => {
    expect(() => log('1:1').slice(1, 2, 10)).toThrow('only entries of the log are asked for');
    expect(() => {
      log('1:1').evict(2, 0);
    }).toThrow('only entries of the log are dropped from memory');
  });
});
