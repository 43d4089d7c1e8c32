import {
  EndpointRing,
  makeAttempts,
  type AttemptBounds,
  type AttemptResult,
  type Surroundings,
} from '../../../src/client/attempts';
import type { Failure } from '../../../src/client/failure';
import { resolveOptions } from '../../../src/client/options';
import type { CallKind } from '../../../src/client/retry';

const lost = (address: string): Failure => ({ kind: 'bare', address, grpcCode: 14, message: 'Connection dropped' });
const down = (address: string): Failure => ({ kind: 'not-connected', address, message: 'refused' });

/** Members by name, each with how it fails (nothing: it answers) and how long that takes. */
function world(members: Readonly<Record<string, { failure?: Failure; takesMs?: number }>>) {
  let time = 0;
  const asked: { name: string; bounds: AttemptBounds }[] = [];
  const surroundings: Surroundings = {
    now: () => time,
    random: () => 0.5,
    sleep: (delayMs) => {
      time += delayMs;
      return Promise.resolve();
    },
  };
  const names = Object.keys(members);
  const ring = new EndpointRing<string>(names as [string, ...string[]]);
  const options = resolveOptions({ endpoints: ['a:1'] });
  const attempt = (name: string, bounds: AttemptBounds): Promise<AttemptResult<string>> => {
    asked.push({ name, bounds });
    const { failure, takesMs = 1 } = members[name] ?? {};
    time += Math.min(takesMs, bounds.timeoutMs);
    return Promise.resolve(failure === undefined ? { kind: 'answer', answer: name } : { kind: 'failure', failure });
  };
  const call = (kind: CallKind, timeoutMs = 5_000) =>
    makeAttempts(ring, { kind, timeoutMs, attempt }, options, surroundings);
  return { call, ring, asked, now: () => time };
}

describe('attempts of a call', () => {
  it('go to the next member when one cannot be reached, and stay there', async () => {
    const { call, asked } = world({ a: { failure: down('a') }, b: {} });
    await expect(call('mutation')).resolves.toBe('b');
    await expect(call('mutation')).resolves.toBe('b');
    expect(asked.map(({ name }) => name)).toEqual(['a', 'b', 'b']);
  });

  it('repeat a read elsewhere, but never a mutation whose connection was lost', async () => {
    const { call, ring } = world({ a: { failure: lost('a') }, b: {} });
    await expect(call('read')).resolves.toBe('b');
    ring.leave('b');
    await expect(call('mutation')).rejects.toMatchObject({ code: 'outcome-unknown', outcome: 'unknown' });
  });

  it('repeat a mutation with a request id whose connection was lost, and leave it time for that', async () => {
    const { call, asked } = world({ a: { failure: lost('a') }, b: {} });
    await expect(call('named-mutation')).resolves.toBe('b');
    expect(asked.map(({ bounds }) => Math.round(bounds.timeoutMs / 100))).toEqual([25, 25]);
  });

  it('do not forget, when the last one could not connect, that an earlier one may have had an effect', async () => {
    const { call } = world({ a: { failure: lost('a') }, b: { failure: down('b') } });
    await expect(call('named-mutation')).rejects.toMatchObject({ code: 'outcome-unknown', outcome: 'unknown' });
  });

  it('are limited in number and end within the time of the call', async () => {
    const { call, asked, now } = world({ a: { failure: down('a') }, b: { failure: down('b') } });
    await expect(call('mutation')).rejects.toMatchObject({ code: 'unreachable', outcome: 'not-done' });
    expect(asked).toHaveLength(10);
    expect(now()).toBeLessThanOrEqual(5_000);
  });

  it('leave a read time for another member, and give a mutation all of it', async () => {
    const { call, asked } = world({ a: { failure: lost('a'), takesMs: 60_000 }, b: {} });
    await expect(call('read', 1_000)).resolves.toBe('b');
    expect(asked.map(({ bounds }) => bounds.timeoutMs)).toEqual([500, 250]);
    await expect(call('mutation', 1_000)).resolves.toBe('b');
    expect(asked.at(-1)?.bounds).toEqual({ timeoutMs: 1_000, connectTimeoutMs: 500 });
  });
});

describe('a change whose request id was made by a wrong clock', () => {
  const details = { requestTimeMs: 1_800_000_000_000 };
  const expired: Failure = { kind: 'told', code: 'request-expired', outcome: 'unknown', message: 'forgotten', details };
  const ahead: Failure = { kind: 'told', code: 'invalid-argument', outcome: 'not-done', message: 'ahead', details };
  const lastly = { kind: 'answer', answer: 'done' } as const;

  /** Fails so, one after the other, then answers. */
  function makeNamed(failures: readonly Failure[], isIdGiven = false) {
    const renamed: number[] = [];
    const left = [...failures];
    const ring = new EndpointRing(['a']);
    const surroundings = { now: () => 0, random: () => 0, sleep: () => Promise.resolve() };
    const attempt = (): Promise<AttemptResult<string>> => {
      const failure = left.shift();
      return Promise.resolve(failure === undefined ? lastly : { kind: 'failure', failure });
    };
    const rename = (timeMs: number) => void renamed.push(timeMs);
    const call = { kind: 'named-mutation', timeoutMs: 5000, isIdGiven, rename, attempt } as const;
    return { renamed, made: makeAttempts(ring, call, resolveOptions({ endpoints: ['a:1'] }), surroundings) };
  }

  it.each([['forgotten by then', expired] as const, ['too far from a clock', ahead] as const])(
    'is done under a new id of the time that the member tells: %s',
    async (_, failure) => {
      const { made, renamed } = makeNamed([failure]);
      await expect(made).resolves.toBe('done');
      expect(renamed).toEqual([1_800_000_000_000]);
    },
  );

  it('is not repeated without end', async () => {
    const { made, renamed } = makeNamed(Array.from({ length: 50 }, () => expired));
    await expect(made).rejects.toMatchObject({ code: 'request-expired', outcome: 'not-done' });
    expect(renamed).toHaveLength(9);
  });

  it('keeps an id that was given, and one that was tried before: it may have been done', async () => {
    const given = makeNamed([expired], true);
    await expect(given.made).rejects.toMatchObject({ code: 'request-expired', outcome: 'unknown' });
    const tried = makeNamed([lost('a'), expired]);
    await expect(tried.made).rejects.toMatchObject({ code: 'request-expired', outcome: 'unknown' });
    expect([...given.renamed, ...tried.renamed]).toEqual([]);
  });
});

describe('ring of endpoints', () => {
  it('moves on once for calls that failed together', () => {
    const ring = new EndpointRing(['a', 'b', 'c']);
    ring.leave('a');
    ring.leave('a');
    expect(ring.current).toBe('b');
  });
});
