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

describe('ring of endpoints', () => {
  it('moves on once for calls that failed together', () => {
    const ring = new EndpointRing(['a', 'b', 'c']);
    ring.leave('a');
    ring.leave('a');
    expect(ring.current).toBe('b');
  });
});
