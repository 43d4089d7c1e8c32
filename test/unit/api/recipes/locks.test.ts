import { deferred } from '../../../../src/base/deferred';
import { QuorateError } from '../../../../src/base/error';
import { brought, RecipeBench } from '../../../support/recipe-bench';

const moment = 100;
let bench: RecipeBench;

beforeEach(() => {
  bench = new RecipeBench();
  bench.grant(1n, 2n, 3n, 0xabcn);
});

describe('A lock', () => {
  it('is held by a key of the name, a slash, and the lease in hexadecimal digits, as etcd has it', async () => {
    const asking = bench.lock('printer', brought(0xabcn));
    await bench.time.pass(moment);
    expect(asking).toMatchObject({ state: 'held', token: 2 });
    expect(bench.queue('printer')).toEqual(['printer/abc']);
  });

  it('is given in the order of asking, with a greater token each time', async () => {
    const asked = [3n, 1n, 2n].map((id) => bench.lock('l', brought(id)));
    const states = () => asked.map(({ state }) => state);
    await bench.time.pass(moment);
    expect(states()).toEqual(['held', 'waiting', 'waiting']);
    for (const [held, next] of [
      [3n, ['held', 'held', 'waiting']],
      [1n, ['held', 'held', 'held']],
    ] as const) {
      bench.end(held);
      await bench.time.pass(moment);
      expect(states()).toEqual(next);
    }
    const tokens = asked.map(({ token }) => token);
    expect(tokens).toEqual([...tokens].sort((a, b) => a - b));
    expect(new Set(tokens).size).toBe(3);
  });

  it('does not wait for other names, nor for names that merely begin alike', async () => {
    const asked = ['a', 'b', 'a/x'].map((name, i) => bench.lock(name, brought(BigInt(i + 1))));
    await bench.time.pass(moment);
    // A name below another one waits in its queue, as with etcd.
    expect(asked.map(({ state }) => state)).toEqual(['held', 'held', 'held']);
    expect(bench.queue('a')).toEqual(['a/1', 'a/x/3']);
  });

  it('is held still when its holder asks again with its lease, under the same token', async () => {
    const [first, again] = [bench.lock('l', brought(1n)), bench.lock('l', brought(1n))];
    await bench.time.pass(moment);
    expect([first.state, again.state]).toEqual(['held', 'held']);
    expect(again.token).toBe(first.token);
  });

  it('is granted only after a barrier: a member that is behind does not grant what is lost already', async () => {
    const passed = deferred<void>();
    bench.before = (step) => (step === 'barrier' ? passed.promise : Promise.resolve());
    const asking = bench.lock('l', brought(1n));
    await bench.time.pass(moment);
    expect(asking.state).toBe('waiting');
    bench.end(1n);
    passed.resolve();
    await bench.time.pass(moment);
    expect(asking.state).toBe('lost');
  });

  it('is refused without its lease', async () => {
    const asking = bench.lock('l', brought(99n));
    await bench.time.pass(moment);
    expect(asking.state).toBe('not-found');
    expect(bench.queue('l')).toEqual([]);
  });

  it('costs nothing while it is waited for: no command, no barrier, no timer', async () => {
    bench.lock('l', brought(1n));
    bench.lock('l', brought(2n));
    await bench.time.pass(moment);
    const [commands, barriers] = [bench.applied.length, bench.barriers];
    await bench.time.pass(3_600_000);
    expect(bench.applied).toHaveLength(commands);
    expect(bench.barriers).toBe(barriers);
    expect(bench.hub.size).toBe(2);
  });
});

describe('A contender that waits', () => {
  it('is told at once when its own lease ends', async () => {
    bench.lock('l', brought(1n));
    const waiting = bench.lock('l', brought(2n));
    await bench.time.pass(moment);
    bench.end(2n);
    await bench.time.pass(moment);
    expect(waiting.state).toBe('lost');
    expect(bench.hub.size).toBe(0);
  });

  it('leaves its queue when its client goes away, and the next one waits for the one before it', async () => {
    const [first, second, third] = [1n, 2n, 3n].map((id) => bench.lock('l', brought(id)));
    await bench.time.pass(moment);
    second?.abort();
    await bench.time.pass(moment);
    expect(second?.state).toBe('aborted');
    expect(bench.queue('l')).toEqual(['l/1', 'l/3']);
    expect(third?.state).toBe('waiting');
    bench.end(1n);
    await bench.time.pass(moment);
    expect([first?.state, third?.state]).toEqual(['held', 'held']);
    expect(bench.hub.size).toBe(0);
  });

  it('leaves also when its client goes away while its put is in flight', async () => {
    bench.takesMs = 500;
    const asking = bench.lock('l', brought(1n));
    await bench.time.pass(moment);
    asking.abort();
    expect(bench.queue('l')).toEqual([]);
    await bench.time.pass(1500);
    expect(asking.state).toBe('aborted');
    expect(bench.queue('l')).toEqual([]);
    expect(bench.applied).toHaveLength(2);
  });

  it('leaves when its client goes away while the barrier is passed', async () => {
    const passed = deferred<void>();
    bench.before = (step) => (step === 'barrier' ? passed.promise : Promise.resolve());
    const asking = bench.lock('l', brought(1n));
    await bench.time.pass(moment);
    asking.abort();
    passed.resolve();
    await bench.time.pass(moment);
    expect(asking.state).toBe('aborted');
    expect(bench.queue('l')).toEqual([]);
  });

  it('does not take the place along that a later call with its lease has taken over', async () => {
    bench.lock('l', brought(1n));
    const early = bench.lock('l', brought(2n));
    await bench.time.pass(moment);
    const late = bench.lock('l', brought(2n));
    await bench.time.pass(moment);
    early.abort();
    await bench.time.pass(moment);
    expect(bench.queue('l')).toEqual(['l/1', 'l/2']);
    bench.end(1n);
    await bench.time.pass(moment);
    expect([early.state, late.state]).toEqual(['aborted', 'held']);
  });

  it('stays until its lease ends when it cannot leave, and that is logged', async () => {
    bench.lock('l', brought(1n));
    const asking = bench.lock('l', brought(2n));
    await bench.time.pass(moment);
    bench.before = () => Promise.reject(new QuorateError('no-leader', 'no leader'));
    asking.abort();
    await bench.time.pass(moment);
    expect(asking.state).toBe('aborted');
    expect(bench.queue('l')).toEqual(['l/1', 'l/2']);
    expect(bench.warnings).toHaveLength(1);
    bench.end(2n);
    expect(bench.queue('l')).toEqual(['l/1']);
  });

  it('never enters when its client is gone already', async () => {
    const controller = new AbortController();
    controller.abort(new Error('gone'));
    const contender = { name: Buffer.from('l'), lease: brought(1n), value: Buffer.alloc(0), form: 'bytes' } as const;
    await expect(bench.locks.acquire(contender, controller.signal)).rejects.toThrow('gone');
    expect(bench.applied).toEqual([]);
  });

  it('goes on when a snapshot takes the place of the state', async () => {
    bench.lock('l', brought(1n));
    const asking = bench.lock('l', brought(2n));
    await bench.time.pass(moment);
    bench.store.replace([{ key: 'l/1' }]);
    await bench.time.pass(moment);
    expect(asking.state).toBe('held');
  });
});

describe('A contender without a lease of its own', () => {
  it('gets one, which is kept alive while it waits, and begins anew when the wait is over', async () => {
    bench.lock('l', brought(1n));
    const asking = bench.lock('l', { id: 77n, ttl: 3 });
    await bench.time.pass(10_000);
    const renewals = () => bench.applied.filter(({ kind }) => kind === 'lease-renew').length;
    expect(renewals()).toBe(9);
    bench.end(1n);
    await bench.time.pass(moment);
    expect(asking.state).toBe('held');
    expect(renewals()).toBe(10);
    await bench.time.pass(10_000);
    expect(renewals()).toBe(10);
  });

  it('keeps its place through renewals that fail', async () => {
    bench.lock('l', brought(1n));
    const asking = bench.lock('l', { id: 77n, ttl: 3 });
    await bench.time.pass(moment);
    bench.before = () => Promise.reject(new QuorateError('no-leader', 'no leader'));
    await bench.time.pass(5000);
    bench.before = undefined;
    await bench.time.pass(2000);
    expect(bench.applied.at(-1)?.kind).toBe('lease-renew');
    expect(asking.state).toBe('waiting');
  });

  it('leaves with its lease', async () => {
    bench.lock('l', brought(1n));
    const asking = bench.lock('l', { id: 77n, ttl: 3 });
    await bench.time.pass(moment);
    asking.abort();
    await bench.time.pass(moment);
    expect(bench.queue('l')).toEqual(['l/1']);
    expect(bench.store.leases.has(77n)).toBe(false);
  });

  it('may be asked for again by the same lease, before and after it has left', async () => {
    bench.lock('l', brought(1n));
    const asked = [bench.lock('l', { id: 77n, ttl: 3 })];
    await bench.time.pass(moment);
    asked.push(bench.lock('l', { id: 77n, ttl: 3 }));
    await bench.time.pass(moment);
    expect(bench.queue('l')).toEqual(['l/1', 'l/4d']);
    for (const { abort } of asked) abort();
    await bench.time.pass(moment);
    expect(bench.queue('l')).toEqual(['l/1']);
    asked.push(bench.lock('l', { id: 77n, ttl: 3 }));
    await bench.time.pass(moment);
    expect(asked.map(({ state }) => state)).toEqual(['aborted', 'aborted', 'waiting']);
  });
});

describe('A lock that is not waited for', () => {
  const attempt = (lease: bigint) =>
    bench.locks.tryAcquire({ name: Buffer.from('l'), lease: brought(lease), value: Buffer.alloc(0), form: 'bytes' });

  it('is taken if it is free, and stays with its holder', async () => {
    const first = attempt(1n);
    await bench.time.pass(moment);
    expect((await first)?.createRevision).toBe(2);
    const [again, other] = [attempt(1n), attempt(2n)];
    await bench.time.pass(moment);
    expect((await again)?.createRevision).toBe(2);
    expect(await other).toBeUndefined();
    expect(bench.queue('l')).toEqual(['l/1']);
  });
});

describe('Freeing a lock', () => {
  const free = async (key: string, createRevision: number | undefined) => {
    const freed = bench.locks.release(
      { key: Buffer.from(key), createRevision, requestId: undefined },
      { deadline: 1000 },
    );
    await bench.time.pass(moment);
    return (await freed).freed;
  };

  it('frees it for the next, if the token is right', async () => {
    const [first, second] = [1n, 2n].map((id) => bench.lock('l', brought(id)));
    await bench.time.pass(moment);
    expect(await free('l/1', 999)).toBe(false);
    expect(second?.state).toBe('waiting');
    expect(await free('l/1', first?.token)).toBe(true);
    expect(second?.state).toBe('held');
    expect(await free('l/1', first?.token)).toBe(false);
    expect(await free('l/2', undefined)).toBe(true);
    expect(await free('l/2', undefined)).toBe(false);
  });

  it('tells who holds it and how many wait', async () => {
    expect(bench.locks.standing(Buffer.from('l'))).toMatchObject({ first: undefined, waiting: 0 });
    for (const id of [2n, 1n, 3n]) bench.lock('l', brought(id));
    await bench.time.pass(moment);
    const { first, waiting } = bench.locks.standing(Buffer.from('l'));
    expect(Buffer.from(first?.key ?? []).toString()).toBe('l/2');
    expect(waiting).toBe(2);
  });
});
