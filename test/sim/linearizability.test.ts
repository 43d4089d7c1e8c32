import fc from 'fast-check';
import { judgeRegister, type RegisterCall } from '../../src/sim/linearizability/register';

/** A call drawn as a stretch of time: `[from, to)`, where no end means that nobody heard of it. */
function call(what: string, invokedAt: number, returnedAt = Infinity): RegisterCall {
  const [kind, value] = what.split(' ');
  const times = { invokedAt, returnedAt };
  switch (kind) {
    case 'write':
      return { ...times, kind, value, existed: undefined };
    case 'read':
      return { ...times, kind, value: value === 'nothing' ? undefined : value, existed: undefined };
    case 'delete':
    case undefined:
    default:
      return { ...times, kind: 'delete', value: undefined, existed: value === undefined ? undefined : value === 'hit' };
  }
}

describe('The linearizability checker accepts', () => {
  it.each<[string, RegisterCall[]]>([
    ['an empty history', []],
    [
      'one after the other',
      [call('write a', 1, 2), call('read a', 3, 4), call('delete hit', 5, 6), call('read nothing', 7, 8)],
    ],
    ['a read that overlaps a write and sees it', [call('write a', 1, 5), call('read a', 2, 3)]],
    ['a read that overlaps a write and does not see it', [call('write a', 1, 5), call('read nothing', 2, 3)]],
    ['overlapping writes in either order', [call('write a', 1, 5), call('write b', 1, 5), call('read a', 6, 7)]],
    [
      'a write of unknown outcome that took effect late',
      [call('write a', 1), call('read nothing', 2, 3), call('read a', 4, 5)],
    ],
    [
      'a write of unknown outcome that never took effect',
      [call('write a', 1), call('read nothing', 2, 3), call('read nothing', 4, 5)],
    ],
    [
      'a delete that met a write of unknown outcome',
      [call('write a', 1), call('delete hit', 2, 3), call('read nothing', 4, 5)],
    ],
    [
      'a delete of unknown outcome',
      [call('write a', 1, 2), call('delete', 3), call('read a', 4, 5), call('read nothing', 6, 7)],
    ],
  ])('%s', (_, calls) => {
    expect(judgeRegister(calls)).toBe('linearizable');
  });
});

describe('The linearizability checker refuses', () => {
  it.each<[string, RegisterCall[]]>([
    ['a stale read', [call('write a', 1, 2), call('write b', 3, 4), call('read a', 5, 6)]],
    ['a value from nowhere', [call('write a', 1, 2), call('read b', 3, 4)]],
    ['a lost write', [call('write a', 1, 2), call('read nothing', 3, 4)]],
    ['a read before the write began', [call('read a', 1, 2), call('write a', 3, 4)]],
    [
      'a value that comes back',
      [call('write a', 1, 2), call('write b', 3), call('read b', 4, 5), call('read a', 6, 7)],
    ],
    ['two reads that contradict each other', [call('write a', 1, 9), call('read a', 2, 3), call('read nothing', 4, 5)]],
    ['a delete that missed what was there', [call('write a', 1, 2), call('delete miss', 3, 4)]],
    ['a delete that met what was not there', [call('delete hit', 1, 2)]],
    ['two deletes that met one write', [call('write a', 1, 2), call('delete hit', 3, 6), call('delete hit', 4, 7)]],
  ])('%s', (_, calls) => {
    expect(judgeRegister(calls)).toBe('not linearizable');
  });
});

it('The linearizability checker says so when a history is too much for it', () => {
  const writes = Array.from({ length: 12 }, (_, at) => call(`write v${at}`, 1, 100));
  expect(judgeRegister([...writes, call('read lost', 101, 102)], 100)).toBe('undecided');
});

describe('The linearizability checker decides beside many calls of unknown outcome', () => {
  const unknown = 30;
  const deletes = Array.from({ length: unknown }, (_, at) => call('delete', at));
  const writes = Array.from({ length: unknown }, (_, at) => call(`write u${at}`, at));

  /** Each takes a delete and a write of which nobody heard. */
  function rounds(count: number): readonly RegisterCall[] {
    return Array.from({ length: count }, (_, at) => {
      const from = 100 + 10 * at;
      const [written, missed] = [call(`write v${at}`, from, from + 1), call('read nothing', from + 2, from + 3)];
      return [written, missed, call('delete hit', from + 4, from + 5)];
    }).flat();
  }

  it('that there are enough of them', () => {
    expect(judgeRegister([...deletes, ...writes, ...rounds(unknown)])).toBe('linearizable');
  });

  it.each([
    ['deletes', [...deletes, ...writes, call('write u', 0)]],
    ['writes', [...deletes, ...writes, call('delete', 0)]],
  ])('that one of the %s is missing', (_, beside) => {
    expect(judgeRegister([...beside, ...rounds(unknown + 1)])).toBe('not linearizable');
  });

  it('that none of them explains what came back', () => {
    const cameBack = call('read v0', 1000, 1001);
    expect(judgeRegister([...deletes, ...writes, ...rounds(unknown / 2), cameBack])).toBe('not linearizable');
  });
});

/** The definition itself: some order of the calls that keeps the times and explains what was seen. Exponential. */
function hasExplanation(calls: readonly RegisterCall[], value: string | undefined): boolean {
  if (calls.every(({ returnedAt }) => returnedAt === Infinity)) return true;
  const firstReturn = Math.min(...calls.map(({ returnedAt }) => returnedAt));
  return calls.some((next) => {
    if (next.invokedAt > firstReturn) return false;
    if (next.kind === 'read' && next.value !== value) return false;
    if (next.kind === 'delete' && next.existed !== undefined && next.existed !== (value !== undefined)) return false;
    const rest = calls.filter((other) => other !== next);
    return hasExplanation(rest, next.kind === 'read' ? value : next.value);
  });
}

describe('The linearizability checker and the definition', () => {
  const times = fc.tuple(fc.nat(20), fc.nat(6), fc.boolean()).map(([from, length, isOpen]) => {
    return { invokedAt: from, returnedAt: isOpen ? Infinity : from + length + 0.5 };
  });
  const what = fc.oneof(
    fc.record({ kind: fc.constant('read' as const), value: fc.constantFrom(undefined, 'v0', 'v1', 'v2') }),
    fc.record({ kind: fc.constant('write' as const) }),
    fc.record({ kind: fc.constant('delete' as const), existed: fc.constantFrom(true, false, undefined) }),
  );
  /** Values are written once each; a read has always returned. */
  const history = fc.array(fc.tuple(what, times), { maxLength: 7 }).map((drawn) => {
    return drawn.map(([operation, { invokedAt, returnedAt }], at): RegisterCall => {
      const end = operation.kind === 'read' && returnedAt === Infinity ? invokedAt + 1 : returnedAt;
      const value = operation.kind === 'write' ? `v${at}` : operation.kind === 'read' ? operation.value : undefined;
      const existed = operation.kind === 'delete' && end !== Infinity ? operation.existed : undefined;
      return { invokedAt, returnedAt: end, kind: operation.kind, value, existed };
    });
  });

  it('agree on random short histories', () => {
    const verdicts = new Set<string>();
    fc.assert(
      fc.property(history, (calls) => {
        const verdict = judgeRegister(calls);
        verdicts.add(verdict);
        expect(verdict).toBe(hasExplanation(calls, undefined) ? 'linearizable' : 'not linearizable');
      }),
      { numRuns: 5000, seed: 1990 },
    );
    expect(verdicts.size).toBe(2);
  });
});
