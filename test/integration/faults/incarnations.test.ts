/** A member whose data was lost, set back or doubled is found out by the others, and stops; they go on without loss. */
import { cpSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { eventually, newMembers, ProcessCluster, type ProcessMember } from '../../support/process-cluster';
import { contradictions, SteadyWriters } from '../../support/steady-writers';

/** What `serve` ends with when its data must not be used. */
const damagedCode = 74;

describe('a member that is not the one it was (invariant M7)', () => {
  let cluster: ProcessCluster;
  let writers: SteadyWriters;

  beforeEach(async () => {
    cluster = await ProcessCluster.start();
    writers = new SteadyWriters(
      'steady',
      Array.from({ length: 2 }, () => cluster.client()),
    );
    await writers.more(50);
  }, 60_000);
  afterEach(async () => {
    await writers.stop();
    await cluster.stop();
  });

  async function aFollower(): Promise<ProcessMember> {
    const leader = await cluster.leader();
    const follower = cluster.members.find((member) => member !== leader);
    if (follower === undefined) throw new Error('a cluster of three has followers');
    return follower;
  }

  /** The member stops by itself, each time it is started, and says what to do. */
  async function expectRefused(member: ProcessMember, dataDir?: string): Promise<void> {
    const codes = [await exitOf(member)];
    cluster.startMember(member, dataDir);
    codes.push(await exitOf(member));
    expect(codes).toEqual([damagedCode, damagedCode]);
    const log = readFileSync(join(cluster.directory, `${member.name}.log`), 'utf8');
    expect(log).toContain(`quorate member replace ${member.name}`);
  }

  async function exitOf({ process: child }: ProcessMember): Promise<number | null> {
    if (child === undefined) throw new Error('the process runs');
    return eventually(15_000, 'the end of the process', () => Promise.resolve(child.exitCode ?? undefined));
  }

  /** The others still take writes, and hold all that was acknowledged. */
  async function expectNothingLost(others: readonly ProcessMember[]): Promise<void> {
    await writers.more(100);
    const account = await writers.stop();
    const client = cluster.client([...others]);
    await client.get('a linearizable read, so that what follows is there');
    const leader = await cluster.leader(others);
    expect(contradictions(account, await cluster.contents(leader))).toEqual([]);
    expect(account.acknowledged).toBeGreaterThan(150);
  }

  it('is refused with a wiped data directory', async () => {
    const follower = await aFollower();
    await cluster.end(follower, 'SIGKILL');
    rmSync(cluster.dataDirOf(follower), { recursive: true });
    await writers.more(20);
    cluster.startMember(follower);
    await expectRefused(follower);
    await expectNothingLost(cluster.members.filter((member) => member !== follower));
  }, 90_000);

  it('is refused with an old copy of its data directory', async () => {
    const follower = await aFollower();
    const directory = cluster.dataDirOf(follower);
    await cluster.end(follower, 'SIGTERM');
    cpSync(directory, `${directory}.old`, { recursive: true });
    for (let boot = 0; boot < 2; boot++) {
      cluster.startMember(follower);
      await eventually(15_000, 'an answer', () => cluster.status(follower));
      await writers.more(20);
      await cluster.end(follower, 'SIGKILL');
    }
    rmSync(directory, { recursive: true });
    cpSync(`${directory}.old`, directory, { recursive: true });
    cluster.startMember(follower);
    await expectRefused(follower);
    await expectNothingLost(cluster.members.filter((member) => member !== follower));
  }, 90_000);

  it('is refused as a second process with an id that runs elsewhere, while the first one goes on', async () => {
    const follower = await aFollower();
    const [place] = await newMembers(1);
    if (place === undefined) throw new Error('there is a place');
    const double: ProcessMember = { ...place, name: follower.name };
    const directory = join(cluster.directory, 'double');
    cluster.startMember(double, directory);
    try {
      await expectRefused(double, directory);
    } finally {
      await cluster.end(double, 'SIGKILL');
    }
    await expectNothingLost(cluster.members);
    expect(follower.process?.exitCode).toBeNull();
    await cluster.converged();
  }, 90_000);

  it('is admitted when it is still the one it was: after an orderly stop, a kill, and a stop of all', async () => {
    const follower = await aFollower();
    for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
      await cluster.end(follower, signal);
      await writers.more(20);
      cluster.startMember(follower);
      await eventually(15_000, 'an answer', () => cluster.status(follower));
    }
    const account = await writers.stop();
    await cluster.converged();
    await Promise.all(cluster.members.map((member) => cluster.end(member, 'SIGKILL')));
    await cluster.startAll();
    await cluster.converged();
    for (const member of cluster.members) {
      expect(contradictions(account, await cluster.contents(member))).toEqual([]);
    }
  }, 90_000);
});

describe('a cluster that starts for the first time', () => {
  it('takes a member in that comes long after the others', async () => {
    const cluster = await LateCluster.start();
    try {
      const [first, second, third] = cluster.members;
      if (first === undefined || second === undefined || third === undefined) throw new Error('there are three');
      cluster.startMember(third);
      cluster.startMember(second);
      await cluster.leader([second, third]);
      const writers = new SteadyWriters('early', [cluster.client([second, third])]);
      await writers.more(50);
      cluster.startMember(first);
      await eventually(15_000, 'an answer', () => cluster.status(first));
      const account = await writers.stop();
      await cluster.converged();
      expect(contradictions(account, await cluster.contents(first))).toEqual([]);
    } finally {
      await cluster.stop();
    }
  }, 60_000);
});

/** Starts nobody by itself. */
class LateCluster extends ProcessCluster {
  static override async start(): Promise<LateCluster> {
    return new LateCluster(await newMembers(3), {});
  }
}
