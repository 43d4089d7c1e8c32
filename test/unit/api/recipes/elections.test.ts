import type { Observation } from '../../../../src/api/recipes/observe';
import { RecipeBench } from '../../../support/recipe-bench';

const moment = 100;
const name = Buffer.from('e');
let bench: RecipeBench;
let controller: AbortController;

beforeEach(() => {
  bench = new RecipeBench();
  controller = new AbortController();
  bench.grant(1n, 2n, 3n);
});

const campaign = (id: bigint, value: string) =>
  bench.elections.campaign({ name, lease: { id, ttl: 0 }, value: Buffer.from(value), form: 'text' }, controller.signal);

/** Campaigns, and gives what it came to, if it came to something. */
async function elected(id: bigint, value: string): Promise<number | undefined> {
  const place = campaign(id, value);
  await bench.time.pass(moment);
  return (await place)?.createRevision;
}

async function proclaim(key: string, createRevision: number, value: string): Promise<boolean> {
  const content = { value: Buffer.from(value), form: 'text', requestId: undefined } as const;
  const done = bench.elections.proclaim({ key: Buffer.from(key), createRevision, ...content }, { deadline: 1000 });
  await bench.time.pass(moment);
  return (await done).done;
}

/** Follows the election; returns what was told, which grows. */
function follow(): string[] {
  const told: string[] = [];
  const shown = ({ leader, revision }: Observation) =>
    leader === undefined
      ? `nobody at ${String(revision)}`
      : `${Buffer.from(leader.key).toString()}=${Buffer.from(leader.value).toString()} at ${String(revision)}`;
  const read = async () => {
    for await (const observation of bench.elections.observe(name, controller.signal)) told.push(shown(observation));
  };
  read().catch((error: unknown) => told.push(String(error)));
  return told;
}

describe('An election', () => {
  it('is won by the first, and by the next when its lease ends; a campaign holds its value', async () => {
    expect(await elected(1n, 'one')).toBe(2);
    const second = campaign(2n, 'two');
    await bench.time.pass(moment);
    expect(Buffer.from(bench.elections.standing(name).first?.value ?? []).toString()).toBe('one');
    bench.end(1n);
    await bench.time.pass(moment);
    expect((await second)?.createRevision).toBe(3);
    expect(Buffer.from(bench.elections.standing(name).first?.value ?? []).toString()).toBe('two');
  });

  it('lets a leader that campaigns again proclaim a new value under its old token', async () => {
    expect(await elected(1n, 'one')).toBe(2);
    expect(await elected(1n, 'other')).toBe(2);
    expect(Buffer.from(bench.elections.standing(name).first?.value ?? []).toString()).toBe('other');
  });

  it('lets only the leader of that token proclaim', async () => {
    await elected(1n, 'one');
    expect(await proclaim('e/1', 2, 'two')).toBe(true);
    expect(await proclaim('e/1', 3, 'three')).toBe(false);
    expect(await proclaim('e/2', 2, 'three')).toBe(false);
    expect(Buffer.from(bench.elections.standing(name).first?.value ?? []).toString()).toBe('two');
  });

  it('is left by whoever resigns', async () => {
    await elected(1n, 'one');
    const place = { key: Buffer.from('e/1'), createRevision: 2, requestId: undefined };
    const resigned = [
      bench.elections.resign(place, { deadline: 1000 }),
      bench.elections.resign(place, { deadline: 1000 }),
    ];
    await bench.time.pass(moment);
    expect((await Promise.all(resigned)).map(({ freed }) => freed)).toEqual([true, false]);
    expect(bench.queue('e')).toEqual([]);
  });
});

describe('An observer', () => {
  it('is told who leads, and each change in order, but nothing of those who wait', async () => {
    const told = follow();
    await bench.time.pass(moment);
    await elected(1n, 'one');
    const second = campaign(2n, 'two');
    await bench.time.pass(moment);
    await proclaim('e/1', 2, 'one again');
    bench.end(1n);
    await bench.time.pass(moment);
    await second;
    bench.end(2n);
    await bench.time.pass(moment);
    expect(told).toEqual(['nobody at 1', 'e/1=one at 2', 'e/1=one again at 4', 'e/2=two at 5', 'nobody at 6']);
  });

  it('begins with the leader of now', async () => {
    await elected(1n, 'one');
    const told = follow();
    await bench.time.pass(moment);
    expect(told).toEqual(['e/1=one at 2']);
  });

  it('is told of every leader, also of those that led only for a moment', async () => {
    await elected(1n, 'one');
    const told = follow();
    await bench.time.pass(moment);
    bench.store.commit(
      [{ key: 'e/2', value: 'two' }],
      [{ key: 'e/1' }],
      [{ key: 'e/2' }],
      [{ key: 'e/3', value: 'three' }],
    );
    // Each step of the reader takes a few turns of promises.
    for (let i = 0; i < 5; i++) await bench.time.pass(moment);
    expect(told.slice(1)).toEqual(['e/2=two at 4', 'nobody at 5', 'e/3=three at 6']);
  });

  it('goes on from what is there when a compaction has overtaken it', async () => {
    await elected(1n, 'one');
    const observing = bench.elections.observe(name, controller.signal);
    expect((await observing.next()).value).toMatchObject({ revision: 2 });
    // Too much to be kept for a reader that does not read, and then gone from the history.
    for (let i = 0; i < 600; i++) bench.store.commit([{ key: 'e/1', value: 'x'.repeat(1024) }]);
    bench.store.commit([{ key: 'e/1', value: 'last' }]);
    bench.store.compact(bench.store.revision);
    const next = observing.next();
    await bench.time.pass(moment);
    expect(Buffer.from((await next).value?.leader?.value ?? []).toString()).toBe('last');
    await observing.return();
    expect(bench.hub.size).toBe(0);
  });

  it('ends with its call', async () => {
    const told = follow();
    await bench.time.pass(moment);
    controller.abort(new Error('gone'));
    await bench.time.pass(moment);
    expect(told).toEqual(['nobody at 1', 'Error: gone']);
    expect(bench.hub.size).toBe(0);
  });
});
