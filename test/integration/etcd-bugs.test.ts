/**
 * Bugs of etcd that take processes to show; the others of its list are in test/unit/kv/etcd-bugs.test.ts,
 * test/unit/node/etcd-14370.test.ts and, once more from a client's view, test/unit/api/etcd/watch-session.test.ts.
 */
import { credentials, type ServiceError, status } from '@grpc/grpc-js';
import { QuorateError } from '../../src/client';
import { AuthClient } from '../../src/gen/etcd/etcdserverpb/auth';
import { MaintenanceClient } from '../../src/gen/etcd/etcdserverpb/maintenance';
import { failure } from '../support/kv-caller';
import { eventually, ProcessCluster, type ProcessMember } from '../support/process-cluster';
import { SteadyWriters } from '../support/steady-writers';
import { unaryCall } from '../support/unary-call';

let cluster: ProcessCluster;

beforeAll(async () => {
  cluster = await ProcessCluster.start();
});

afterAll(() => cluster.stop());

/** The hashes of all members, of the same revision, which is that of the whole state once nobody writes. */
async function hashes(): Promise<readonly unknown[]> {
  await cluster.converged();
  const found = [];
  for (const member of cluster.members) found.push(await cluster.client([member]).maintenance.hashKv());
  return found;
}

async function expectEqualHashes(): Promise<void> {
  const [first, ...others] = await hashes();
  for (const other of others) expect(other).toEqual(first);
}

/** Compacts all but the last revisions, and waits on one member until nothing is left of the rest. */
async function compactAndDefragment(member: ProcessMember): Promise<void> {
  const client = cluster.client();
  const { revision } = await client.get('none');
  await client.maintenance.compact(revision - 10).catch((error: unknown) => {
    if (!(error instanceof QuorateError)) throw error;
  });
  const maintenance = new MaintenanceClient(member.clientAddress, credentials.createInsecure());
  await unaryCall(maintenance, maintenance.defragment, {}, 2000).catch((error: unknown) => {
    if ((error as ServiceError).code === status.UNIMPLEMENTED) throw error;
  });
  maintenance.close();
}

describe('etcd #13766, #14685 and #17780: members that crash under load, while compacting or defragmenting, diverged', () => {
  it('members that are killed at any moment come back with no lower revision, and to the same state', async () => {
    const kills = 6;
    const writers = new SteadyWriters(
      'crash',
      Array.from({ length: 4 }, () => cluster.client()),
    );
    for (let kill = 0; kill < kills; kill++) {
      const victim = cluster.members[kill % cluster.members.length];
      if (victim === undefined) throw new Error('there are members');
      await writers.more(200);
      const { revision } = await cluster.client().get('none');
      const busy = compactAndDefragment(victim);
      await writers.more(10 * kill);
      await cluster.end(victim, 'SIGKILL');
      await busy;
      cluster.startMember(victim);
      const revived = cluster.client([victim]);
      const seen = await eventually(20_000, 'a read of the revived member', () =>
        revived.get('none', { timeoutMs: 1000 }).catch(() => undefined),
      );
      expect(seen.revision).toBeGreaterThanOrEqual(revision);
    }
    const { acknowledged } = await writers.stop();
    expect(acknowledged).toBeGreaterThan(kills * 200);
    await expectEqualHashes();
  });
});

describe('etcd #14571: enabling authentication let members diverge', () => {
  it('is refused on every member, changes nothing, and members stay equal', async () => {
    const client = cluster.client();
    const before = (await client.get('none')).revision;
    for (const member of cluster.members) {
      const auth = new AuthClient(member.clientAddress, credentials.createInsecure());
      const user = { name: 'root', password: 'secret', options: undefined, hashedPassword: '' };
      for (const call of [unaryCall(auth, auth.userAdd, user, 5000), unaryCall(auth, auth.authEnable, {}, 5000)]) {
        expect((await failure(call)).details).toMatch(/^etcdserver: /);
      }
      await cluster.client([member]).put('after', member.name);
      auth.close();
    }
    expect((await client.get('none')).revision).toBe(before + cluster.members.length);
    await expectEqualHashes();
  });
});
