/** etcd's Cluster, Maintenance and Auth services on real processes, whose members come and go. */
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { status } from '@grpc/grpc-js';
import Database from 'better-sqlite3';
import { EtcdCaller } from '../support/etcd-caller';
import { eventually, ProcessCluster, type ProcessMember } from '../support/process-cluster';

let cluster: ProcessCluster;
const callers = new Map<ProcessMember, EtcdCaller>();

/** The caller of a member. */
function at(member: ProcessMember | undefined): EtcdCaller {
  if (member === undefined) throw new Error('there is such a member');
  const caller = callers.get(member) ?? new EtcdCaller(member.clientAddress);
  callers.set(member, caller);
  return caller;
}

beforeAll(async () => {
  cluster = await ProcessCluster.start();
}, 60_000);

afterAll(async () => {
  for (const caller of callers.values()) caller.close();
  await cluster.stop();
});

// One cluster for all; the last test leaves it without a quorum.
describe('etcd Cluster and Maintenance', () => {
  it('list the members with their URLs, and the status of each', async () => {
    const [first] = cluster.members;
    const { header, members } = await at(first).memberList();
    expect(header?.revision).toBe(0n);
    const ids = members.map(({ ID }) => ID);
    // As etcd does: in the order of their ids, which come of the names.
    expect(ids).toEqual([...ids].sort((one, other) => (one < other ? -1 : 1)));
    expect(new Map(members.map(({ name, peerURLs, clientURLs }) => [name, { peerURLs, clientURLs }]))).toEqual(
      new Map(
        cluster.members.map(({ name, peerAddress, clientAddress }) => [
          name,
          { peerURLs: [`http://${peerAddress}`], clientURLs: [`http://${clientAddress}`] },
        ]),
      ),
    );
    const leaders = new Set<bigint>();
    for (const member of cluster.members) {
      const told = await at(member).status();
      expect(told).toMatchObject({ version: expect.stringMatching(/^3\.5\.\d+$/), errors: [], isLearner: false });
      expect(told.dbSize).toBeGreaterThan(0n);
      leaders.add(told.leader);
    }
    expect(leaders.size).toBe(1);
    expect(ids).toContain([...leaders][0]);
  });

  it('add a learner by its URL alone, which starts by its id, reads a little old, is promoted and removed', async () => {
    const [first] = cluster.members;
    await at(first).put('before', '1');
    const made = await cluster.newcomer('unnamed');
    const peerURLs = [`http://${made.peerAddress}`];
    const { member } = await at(first).memberAdd({ peerURLs, isLearner: true });
    expect(member).toMatchObject({ name: '', peerURLs, clientURLs: [], isLearner: true });
    const id = member?.ID ?? 0n;
    await expect(at(first).memberAdd({ peerURLs, isLearner: true })).rejects.toMatchObject({
      code: status.FAILED_PRECONDITION,
      details: 'etcdserver: Peer URLs already exists',
    });

    const learner = { ...made, name: id.toString(16) };
    cluster.members.splice(cluster.members.indexOf(made), 1, learner);
    cluster.startMember(learner);
    const kvs = await eventually(20_000, 'the learner has the data', async () => {
      const read = await at(learner)
        .range('before', { serializable: true })
        .catch(() => undefined);
      return read?.kvs.length === 1 ? read.kvs : undefined;
    });
    expect(kvs).toMatchObject([{ value: Buffer.from('1') }]);
    expect(await at(learner).status()).toMatchObject({ isLearner: true });
    for (const call of [
      () => at(learner).put('x', '1'),
      () => at(learner).range('x'),
      () => at(learner).memberList(),
    ]) {
      await expect(call()).rejects.toMatchObject({
        code: status.FAILED_PRECONDITION,
        details: 'etcdserver: rpc not supported for learner',
      });
    }
    const listed = (await at(first).memberList()).members.find(({ ID }) => ID === id);
    expect(listed).toMatchObject({ name: learner.name, clientURLs: [`http://${learner.clientAddress}`] });

    await eventually(20_000, 'promoted', () =>
      at(first)
        .memberPromote(id)
        .catch(() => undefined),
    );
    await expect(at(first).memberPromote(id)).rejects.toMatchObject({
      details: 'etcdserver: can only promote a learner member',
    });
    await at(learner).put('from the new member', '1');
    const { members } = await at(first).memberRemove(id);
    expect(members).toHaveLength(3);
    await expect(at(first).memberRemove(id)).rejects.toMatchObject({ code: status.NOT_FOUND });
  }, 90_000);

  it('send a copy of the state with its digest behind it, as etcdctl checks it', async () => {
    const [first] = cluster.members;
    await at(first).put('copied', '1');
    const messages = await at(first).snapshot();
    const digest = messages.at(-1)?.blob ?? Buffer.alloc(0);
    const copy = Buffer.concat(messages.slice(0, -1).map(({ blob }) => blob));
    expect(copy.length % 512).toBe(0);
    expect(digest).toEqual(createHash('sha256').update(copy).digest());
    let left = copy.length;
    for (const { blob, remainingBytes } of messages.slice(0, -1)) {
      left -= blob.length;
      expect(remainingBytes).toBe(BigInt(left));
    }
    const directory = mkdtempSync(join(tmpdir(), 'quorate-copy-'));
    try {
      writeFileSync(join(directory, 'copy.db'), copy);
      const db = new Database(join(directory, 'copy.db'));
      expect(db.pragma('integrity_check', { simple: true })).toBe('ok');
      db.close();
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  it('hand leadership to the member that is named, through the leader alone', async () => {
    const leader = await cluster.leader();
    const others = cluster.members.filter((member) => member !== leader);
    const { members } = await at(leader).memberList();
    const idOf = (wanted: ProcessMember | undefined) => members.find(({ name }) => name === wanted?.name)?.ID ?? 0n;
    await expect(at(others[0]).moveLeader(idOf(others[0]))).rejects.toMatchObject({
      code: status.FAILED_PRECONDITION,
      details: 'etcdserver: not leader',
    });
    await expect(at(leader).moveLeader(4711n)).rejects.toMatchObject({ details: 'etcdserver: bad leader transferee' });
    await at(leader).moveLeader(idOf(others[0]));
    expect((await at(leader).status()).leader).toBe(idOf(others[0]));
  });

  it('hash equal data to equal numbers', async () => {
    const [first] = cluster.members;
    for (let n = 0; n < 50; n++) await at(first).put(`h${n % 7}`, String(n));
    const { header } = await at(first).deleteRange('h3');
    const hashes = new Set<number>();
    for (const member of cluster.members.slice(0, 3)) {
      await at(member).range('h0');
      hashes.add((await at(member).hashKv(Number(header?.revision))).hash);
    }
    expect(hashes.size).toBe(1);
    expect((await at(first).hashKv(Number(header?.revision) - 1)).hash).not.toBe([...hashes][0]);
  });

  it('raise an alarm on all members, under which only what frees space is done', async () => {
    const [first, second] = cluster.members;
    await at(first).put('there', '1');
    const noSpace = { memberID: 7n, alarm: 1 } as const;
    await at(first).alarm({ action: 1, ...noSpace });
    expect((await at(second).alarm({ action: 0, memberID: 0n, alarm: 0 })).alarms).toEqual([noSpace]);
    await expect(at(second).put('more', '1')).rejects.toMatchObject({
      code: status.RESOURCE_EXHAUSTED,
      details: 'etcdserver: mvcc: database space exceeded',
    });
    expect((await at(second).status()).errors).toEqual(['memberID:7 alarm:NOSPACE ']);
    expect(await at(second).deleteRange('there')).toMatchObject({ deleted: 1n });
    await at(second).alarm({ action: 2, ...noSpace });
    await at(first).put('more', '1');
  });

  it('have no users, and say that authentication is not enabled where one is added', async () => {
    const [first] = cluster.members;
    expect(await at(first).userList()).toMatchObject({ users: [] });
    await expect(at(first).userAdd('somebody')).rejects.toMatchObject({
      code: status.FAILED_PRECONDITION,
      details: 'etcdserver: authentication is not enabled',
    });
    expect(await at(first).authStatus()).toMatchObject({ enabled: false });
  });

  it('tell a client that wants a leader at once that there is none, and others what this member has', async () => {
    const [first, ...others] = cluster.members.slice(0, 3);
    await at(first).put('alone', '1');
    for (const other of others) await cluster.end(other, 'SIGKILL');
    await eventually(10_000, 'no leader', async () => ((await at(first).status()).leader === 0n ? true : undefined));
    expect((await at(first).status()).errors).toEqual(['etcdserver: no leader']);
    expect((await at(first).range('alone', { serializable: true })).kvs).toHaveLength(1);
    at(first).metadata.set('hasleader', 'true');
    await expect(at(first).range('alone', { serializable: true })).rejects.toMatchObject({
      code: status.UNAVAILABLE,
      details: 'etcdserver: no leader',
    });
  }, 60_000);
});
