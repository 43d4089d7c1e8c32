/** Calls to the client API in time and number: deadlines, cancelling, calls in flight, draining. */
import { status } from '@grpc/grpc-js';
import { QuorateError } from '../../src/base/error';
import { type FakeMember, startFakeMember, testLimits } from '../support/fake-member';
import { failure, KvCaller, until } from '../support/kv-caller';
import { putRequest } from '../support/kv-requests';
import { detailsOf } from '../support/raw-call';

let member: FakeMember;
let caller: KvCaller;

beforeEach(async () => {
  member = await startFakeMember();
  caller = new KvCaller(member.address);
});

afterEach(async () => {
  caller.close();
  await member.server.drain(1000);
});

describe('deadlines', () => {
  it("passes a deadline on as a time on the node's clock, a little before the client's own", async () => {
    const before = performance.now();
    await caller.put('a', '1', 800);
    const [deadline = 0] = member.store.deadlines;
    expect(deadline).toBeGreaterThan(before + 600);
    // The wire tells the time left when the call set out; how long it travelled, the member cannot know.
    expect(deadline).toBeLessThanOrEqual(performance.now() + 800 - 40);
  });

  it('gives a call without a deadline the default', async () => {
    const before = performance.now();
    await caller.put('a', '1');
    const [deadline = 0] = member.store.deadlines;
    expect(deadline).toBeGreaterThan(before + testLimits.requestTimeoutMs - 150);
    expect(deadline).toBeLessThanOrEqual(performance.now() + testLimits.requestTimeoutMs);
  });

  it("answers with its own error before the client's deadline", async () => {
    member.store.behaviour = (call) =>
      new Promise((_, reject) => {
        const late = new QuorateError('no-leader', 'no leader in time');
        setTimeout(() => reject(late), call.deadline - performance.now());
      });
    const error = await failure(caller.put('a', '1', 400));
    expect(error.code).toBe(status.UNAVAILABLE);
    expect(detailsOf(error).info.reason).toBe('NO_LEADER');
  });

  it('survives a call that its client cancels, and goes on', async () => {
    let release: () => void = () => undefined;
    member.store.behaviour = () => new Promise((resolve) => (release = resolve));
    const call = caller.kv.put(putRequest({ key: 'a' }), () => undefined);
    await until(() => member.calls.inFlight === 1);
    call.cancel();
    release();
    await member.calls.idle();
    member.store.behaviour = undefined;
    await caller.put('b', '2');
    expect(member.bugs).toEqual([]);
  });
});

describe('calls in flight', () => {
  it('are limited; those beyond are refused and surely not done', async () => {
    const releases: (() => void)[] = [];
    member.store.behaviour = () => new Promise((resolve) => releases.push(resolve));
    const waiting = Array.from({ length: testLimits.maxCallsInFlight }, (_, i) => caller.put(`k${String(i)}`, 'v'));
    await until(() => releases.length === testLimits.maxCallsInFlight);
    const error = await failure(caller.put('one-more', 'v'));
    expect(error.code).toBe(status.RESOURCE_EXHAUSTED);
    expect(detailsOf(error).info).toMatchObject({
      reason: 'OVERLOADED',
      metadata: { outcome: 'not-done', limit: '8 calls in flight', actual: '8 calls in flight' },
    });
    for (const release of releases) release();
    await Promise.all(waiting);
    expect(member.store.reader.get(Buffer.from('one-more'))).toBeUndefined();
    member.store.behaviour = undefined;
    await caller.put('again', 'v');
  });

  it('are answered before the listener closes, while new ones are refused', async () => {
    let release: () => void = () => undefined;
    member.store.behaviour = () => new Promise((resolve) => (release = resolve));
    const last = caller.put('last', 'v');
    await until(() => member.calls.inFlight === 1);
    const drained = member.server.drain(5000);
    release();
    expect(await last).toMatchObject({ revision: 2 });
    await drained;
    expect((await failure(caller.put('late', 'v'))).code).toBe(status.UNAVAILABLE);
  });

  it('do not hold the listener for longer than the bound', async () => {
    member.store.behaviour = () => new Promise(() => undefined);
    const stuck = failure(caller.put('stuck', 'v'));
    await until(() => member.calls.inFlight === 1);
    const before = performance.now();
    await member.server.drain(100);
    expect(performance.now() - before).toBeLessThan(1000);
    await stuck;
  });
});
