/** Real processes, under load: members come, go, move and are replaced, leadership is handed on, copies are made. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { type MemberDescription, type QuorateClient, QuorateError } from '../../src/client';
import { eventually, ProcessCluster, type ProcessMember } from '../support/process-cluster';
import { contradictions, SteadyWriters } from '../support/steady-writers';

const main = join(__dirname, '../../dist/main.js');
let cluster: ProcessCluster;
let client: QuorateClient;

beforeEach(async () => {
  cluster = await ProcessCluster.start();
  client = cluster.client();
});

afterEach(async () => {
  await cluster.stop();
});

const described = ({ name, peerAddress, clientAddress }: ProcessMember) => ({ name, peerAddress, clientAddress });

/** Waits until the cluster lists a member so. */
function standing(name: string, wanted: MemberDescription['standing'] | undefined): Promise<true> {
  return eventually(20_000, `${name} ${wanted ?? 'gone'}`, async () => {
    const { members } = await client.cluster.members();
    return members.find((member) => member.name === name)?.standing === wanted ? true : undefined;
  });
}

function quorate(...args: readonly string[]): string {
  const endpoints = cluster.members.filter((it) => it.process !== undefined).map((it) => it.clientAddress);
  const env = { ...process.env, QUORATE_ENDPOINTS: endpoints.join(',') };
  return execFileSync(process.execPath, [main, ...args], { env, encoding: 'utf8', timeout: 30_000 });
}

function logOf(member: ProcessMember): string {
  return readFileSync(join(cluster.directory, `${member.name}.log`), 'utf8');
}

/** What a process wrote last may reach its file a moment after its end. */
async function logged(member: ProcessMember, text: string): Promise<void> {
  await eventually(5000, `${member.name} says: ${text}`, () =>
    Promise.resolve(logOf(member).includes(text) ? true : undefined),
  );
}

/** Has a member go. Should the leader lose its office or its life meanwhile, the outcome is unknown, and it is tried again. */
async function surelyGone(name: string, change: () => Promise<unknown>): Promise<void> {
  await eventually(60_000, `${name} gone`, async () => {
    try {
      if ((await client.cluster.members()).members.some((member) => member.name === name)) await change();
      return true;
    } catch (error) {
      if (error instanceof QuorateError && error.outcome === 'unknown') return undefined;
      throw error;
    }
  });
}

/** Starts a member that was added, and waits until it votes. */
async function startVoter(member: ProcessMember): Promise<void> {
  cluster.startMember(member);
  await standing(member.name, 'voter');
}

describe('members under load', () => {
  it('are added, replaced and removed one after another, and every acknowledged write is kept', async () => {
    const writers = new SteadyWriters('load', [cluster.client(), cluster.client(), cluster.client()]);
    await writers.more(50);

    const fourth = await cluster.newcomer('m4');
    expect(await client.cluster.addMember(described(fourth))).toMatchObject({ standing: 'learner' });
    await startVoter(fourth);
    await writers.more(50);

    // A dead member is replaced in one call; it may have been the leader, and others not know yet that it is dead.
    const [, second] = cluster.members;
    await cluster.end(second as ProcessMember, 'SIGKILL');
    const fifth = await cluster.newcomer('m5');
    await surelyGone('m2', () => client.cluster.replaceMember('m2', described(fifth)));
    await startVoter(fifth);
    await standing('m2', undefined);
    await writers.more(50);

    // The leader itself is removed, and stops by itself.
    const leader = await cluster.leader(cluster.members.filter((it) => it.process !== undefined));
    const ended = new Promise((resolve) => leader.process?.once('exit', resolve));
    await surelyGone(leader.name, () => client.cluster.removeMember(leader.name));
    expect(await ended).toBe(0);
    await logged(leader, 'this member was removed from the cluster');
    await standing(leader.name, undefined);
    await writers.more(50);

    const account = await writers.stop();
    const running = cluster.members.filter((it) => it.process !== undefined);
    const gone = cluster.members.filter((it) => it.process === undefined && it !== second && it !== leader);
    expect(gone.map(logOf)).toEqual([]);
    await cluster.converged(30_000, running);
    for (const member of running) expect(contradictions(account, await cluster.contents(member))).toEqual([]);
    expect(account.acknowledged).toBeGreaterThan(200);
  }, 120_000);

  it('hand leadership on ten times without one failed write', async () => {
    const writers = new SteadyWriters('transfer', [cluster.client(), cluster.client()]);
    await writers.more(20);
    const names = new Set<string>();
    for (let turn = 0; turn < 10; turn++) {
      names.add((await client.cluster.transferLeadership()).name);
      await writers.more(5);
    }
    const account = await writers.stop();
    expect(new Set(account.told.values())).toEqual(new Set(['acknowledged']));
    expect(names.size).toBeGreaterThan(1);
  }, 60_000);

  it('are copied: a snapshot holds every write acknowledged before it', async () => {
    const writers = new SteadyWriters('copy', [cluster.client(), cluster.client()]);
    await writers.more(100);
    const before = writers.acknowledged;
    const file = join(cluster.directory, 'copy.db');
    const saved = JSON.parse(quorate('snapshot', 'save', file, '--output', 'json')) as { appliedIndex: number };
    await writers.more(20);
    await writers.stop();
    const database = new Database(file, { readonly: true });
    const rows = database.prepare("SELECT count(*) FROM live WHERE key LIKE 'copy/%'").pluck().get() as number;
    // The member that was asked may be a few entries behind those who acknowledged.
    expect(rows).toBeGreaterThan(before - 20);
    expect(database.prepare('SELECT applied_index FROM meta').pluck().get()).toBe(saved.appliedIndex);
    expect(database.pragma('integrity_check', { simple: true })).toBe('ok');
    database.close();
    expect(existsSync(`${file}.partial`)).toBe(false);
  }, 60_000);
});

describe('a member', () => {
  it('that is to stay a learner does so until it is promoted', async () => {
    const fourth = await cluster.newcomer('m4');
    await client.cluster.addMember(described(fourth), { learner: true });
    cluster.startMember(fourth);
    await eventually(20_000, 'm4 in step', async () => {
      const leader = await cluster.status(await cluster.leader());
      return leader?.peers.some(({ matchIndex }) => matchIndex === leader.lastLogIndex) &&
        (await cluster.status(fourth))?.appliedIndex === leader.commitIndex
        ? true
        : undefined;
    });
    expect((await cluster.status(fourth))?.member.standing).toBe('learner');
    await client.cluster.promoteMember('m4');
    await standing('m4', 'voter');
  }, 60_000);

  it('that joined starts again from what it stored, with and without --join', async () => {
    const fourth = await cluster.newcomer('m4');
    await client.cluster.addMember(described(fourth));
    await startVoter(fourth);
    const id = (await cluster.status(fourth))?.member.id;
    await cluster.end(fourth, 'SIGTERM');
    // Nobody to ask any more: the others are down, too.
    for (const member of cluster.members) await cluster.end(member, 'SIGKILL');
    cluster.startMember(fourth);
    const status = await eventually(10_000, 'm4', () => cluster.status(fourth));
    expect(status.member).toMatchObject({ id, name: 'm4', standing: 'voter' });
  }, 60_000);

  it('whose disk was lost does not come back under its id, but is replaced (M7)', async () => {
    const fourth = await cluster.newcomer('m4');
    await client.cluster.addMember(described(fourth));
    await startVoter(fourth);
    await cluster.end(fourth, 'SIGKILL');
    rmSync(cluster.dataDirOf(fourth), { recursive: true });
    cluster.startMember(fourth);
    expect(await new Promise((resolve) => fourth.process?.once('exit', resolve))).toBe(2);
    await eventually(1000, 'its last words', () =>
      Promise.resolve(logOf(fourth).includes('m4 has been started before') ? true : undefined),
    );
    const { id } = await client.cluster.replaceMember('m4', described(fourth));
    cluster.startMember(fourth);
    await eventually(20_000, 'the new m4', async () =>
      (await cluster.status(fourth))?.member.standing === 'voter' ? true : undefined,
    );
    expect((await cluster.status(fourth))?.member.id).toBe(id);
    await cluster.converged();
  }, 60_000);

  it('that nobody added is refused, and told what to do', async () => {
    const fourth = await cluster.newcomer('m4');
    cluster.startMember(fourth);
    const ended = new Promise((resolve) => fourth.process?.once('exit', resolve));
    expect(await ended).toBe(2);
    await eventually(1000, 'its last words', () =>
      Promise.resolve(logOf(fourth).includes('run: quorate member add') ? true : undefined),
    );
    await logged(fourth, 'the cluster lists no member m4');
    // Nothing was stored: once it is added, the same directory will do.
    await client.cluster.addMember(described(fourth));
    await startVoter(fourth);
  }, 60_000);

  it('moves: its peers and its clients find it at its new address', async () => {
    const [first] = cluster.members;
    const address = (first as ProcessMember).clientAddress.replace('127.0.0.1', 'localhost');
    const peerAddress = (first as ProcessMember).peerAddress.replace('127.0.0.1', 'localhost');
    await client.cluster.updateMember('m1', { clientAddress: address, peerAddress });
    const { members } = await client.cluster.members();
    expect(members.find(({ name }) => name === 'm1')).toMatchObject({ clientAddress: address, peerAddress });
    await client.put('after', 'the move');
    await cluster.converged();
  }, 60_000);
});

describe('a lost majority', () => {
  it('is given up by force: one member goes on alone with its data, as another cluster', async () => {
    for (let i = 0; i < 20; i++) await client.put(`k${String(i)}`, 'kept');
    await cluster.converged();
    const [first, second, third] = cluster.members as [ProcessMember, ProcessMember, ProcessMember];
    const old = await cluster.status(first);
    for (const member of [first, second, third]) await cluster.end(member, 'SIGKILL');

    cluster.startAlone(first, '--force-new-cluster');
    await cluster.leader([first]);
    const alone = cluster.client([first]);
    await alone.put('new', 'life');
    expect((await alone.get('k19')).kv?.value).toBe('kept');
    const { clusterId, members } = await alone.cluster.members();
    expect(clusterId).not.toBe(old?.clusterId);
    expect(members.map(({ name, id }) => ({ name, id }))).toEqual([{ name: 'm1', id: old?.member.id }]);
    await logged(first, 'FORCING A NEW CLUSTER');

    // The others come back: nobody listens to them, and they to nobody.
    cluster.startMember(second);
    cluster.startMember(third);
    await cluster.leader([second, third]);
    await alone.put('still', 'here');
    expect((await cluster.status(first))?.role).toBe('leader');
    expect((await cluster.status(second))?.clusterId).toBe(old?.clusterId);

    // It starts again without the flag, and refuses a second use of it.
    await cluster.end(first, 'SIGTERM');
    cluster.startAlone(first);
    await cluster.leader([first]);
    expect((await cluster.status(first))?.clusterId).toBe(clusterId);
    await cluster.end(first, 'SIGTERM');
    cluster.startAlone(first, '--force-new-cluster');
    expect(await new Promise((resolve) => first.process?.once('exit', resolve))).toBe(2);
    await logged(first, 'the only one of its cluster already');

    // And it takes in new members.
    cluster.startAlone(first);
    await cluster.leader([first]);
    const sixth = await cluster.newcomer('m6');
    const joining = { ...sixth, joinThrough: [first] };
    await alone.cluster.addMember(described(joining));
    cluster.startMember(joining);
    await eventually(20_000, 'm6 votes', async () =>
      (await alone.cluster.members()).members.some(({ name, standing: it }) => name === 'm6' && it === 'voter')
        ? true
        : undefined,
    );
    await cluster.end(joining, 'SIGKILL');
  }, 120_000);
});
