/** Operators' calls over real gRPC: client, services and a member without Raft behind them. */
import { performance } from 'node:perf_hooks';
import { credentials } from '@grpc/grpc-js';
import { QuorateError } from '../../src/base/error';
import { QuorateClient } from '../../src/client';
import { MaintenanceServiceClient, type SnapshotResponse } from '../../src/gen/quorate/v1/maintenance';
import { type FakeMember, startFakeMember } from '../support/fake-member';
import { bytesAt } from '../support/fake-snapshots';
import { eventually } from '../support/process-cluster';

const newMember = { name: 'm4', peerAddress: 'p4:2380', clientAddress: 'c4:2379' };
/** Far more than the windows and buffers on the way hold. */
const largeBytes = 32 * 1024 * 1024;
let member: FakeMember;
let client: QuorateClient;

beforeEach(async () => {
  member = await startFakeMember();
  client = new QuorateClient({ endpoints: [member.address], timeoutMs: 2000 });
});

afterEach(async () => {
  client.close();
  await member.server.drain(1000);
});

describe('the members', () => {
  it('are listed with their standing', async () => {
    const { members } = await client.cluster.members();
    expect(members.map(({ name, standing }) => `${name} ${standing}`)).toEqual(['m7 voter', 'm1 voter']);
  });

  it('are added, promoted, moved, replaced and removed', async () => {
    expect(await client.cluster.addMember(newMember)).toMatchObject({ id: 100n, name: 'm4', standing: 'learner' });
    await client.cluster.promoteMember('m4');
    await client.cluster.updateMember('m4', { clientAddress: 'new:1' });
    expect(await client.cluster.replaceMember('m4', newMember)).toMatchObject({ id: 101n, standing: 'voter' });
    await client.cluster.removeMember('m4');
    expect(member.membership.wishes.map(({ $case }) => $case)).toEqual([
      'add',
      'promote',
      'update',
      'replace',
      'remove',
    ]);
  });

  it('hand over leadership', async () => {
    expect(await client.cluster.transferLeadership('m1')).toMatchObject({ name: 'm1' });
  });

  it('are not changed again after a refusal, which says why', async () => {
    member.membership.behaviour = () =>
      Promise.reject(new QuorateError('change-refused', 'another change is under way'));
    await expect(client.cluster.removeMember('m7')).rejects.toMatchObject({
      code: 'change-refused',
      outcome: 'not-done',
      message: 'another change is under way',
    });
    expect(member.membership.wishes).toHaveLength(1);
  });

  it('are not changed again when the outcome is unknown', async () => {
    member.membership.behaviour = () =>
      Promise.reject(new QuorateError('outcome-unknown', '?', { outcome: 'unknown' }));
    await expect(client.cluster.addMember(newMember)).rejects.toMatchObject({ outcome: 'unknown' });
    expect(member.membership.wishes).toHaveLength(1);
  });

  it('are changed once there is a leader', async () => {
    let refusals = 0;
    member.membership.behaviour = () =>
      refusals++ < 2 ? Promise.reject(new QuorateError('no-leader', 'none')) : Promise.resolve();
    await client.cluster.removeMember('m7');
    expect(member.membership.wishes).toHaveLength(3);
  });

  it('keep what is wrong with a request in the details', async () => {
    await expect(client.cluster.addMember({ ...newMember, peerAddress: 'nowhere' })).rejects.toMatchObject({
      code: 'invalid-argument',
      details: { field: 'peer_address', actual: '"nowhere"' },
    });
  });
});

describe('a snapshot', () => {
  it('comes whole, with its header first, and is released', async () => {
    const download = await client.maintenance.snapshot();
    expect(download).toMatchObject({ clusterId: 2n ** 64n - 1n, appliedIndex: 42, sizeBytes: 1_000_000 });
    expect(download.sha256).toMatch(/^[0-9a-f]{64}$/);
    const bytes = await collect(download);
    expect(bytes.equals(bytesAt(0, 1_000_000))).toBe(true);
    await eventually(1000, 'the release', () => Promise.resolve(member.snapshots.released === 1 ? true : undefined));
  });

  it('comes in chunks of at most 256 KiB', async () => {
    const sizes: number[] = [];
    for await (const chunk of await client.maintenance.snapshot()) sizes.push(chunk.length);
    expect(sizes).toEqual([262_144, 262_144, 262_144, 213_568]);
  });

  it('is read no faster than it is taken', async () => {
    member.snapshots.sizeBytes = largeBytes;
    const iterator = (await client.maintenance.snapshot())[Symbol.asyncIterator]();
    await iterator.next();
    // What fits into the windows and buffers of both sides comes; then it stands still.
    const read = await standstill(() => member.snapshots.bytesRead);
    expect(read).toBeLessThan(12 * 1024 * 1024);
    await iterator.return?.();
  });

  it('is released when its reader leaves', async () => {
    member.snapshots.sizeBytes = largeBytes;
    for await (const chunk of await client.maintenance.snapshot()) if (chunk.length > 0) break;
    await eventually(1000, 'the release', () => Promise.resolve(member.snapshots.released === 1 ? true : undefined));
  });

  it('is released when its reader takes nothing for too long', async () => {
    member.snapshots.sizeBytes = largeBytes;
    const iterator = (await client.maintenance.snapshot())[Symbol.asyncIterator]();
    await iterator.next();
    await eventually(6000, 'the release', () => Promise.resolve(member.snapshots.released === 1 ? true : undefined));
    expect(member.bugs).toEqual([]);
    await iterator.return?.();
  });

  it('is released when its reader left before it was made', async () => {
    let make = () => undefined as void;
    member.snapshots.beforeCopy = () => new Promise((resolve) => (make = resolve));
    const raw = new MaintenanceServiceClient(member.address, credentials.createInsecure());
    const call = raw.snapshot({});
    call.on('error', () => undefined);
    call.on('data', () => undefined);
    await eventually(1000, 'the call', () => Promise.resolve(make.length === 1 ? true : undefined));
    setImmediate(() => call.cancel());
    await new Promise((resolve) => setTimeout(resolve, 100));
    make();
    await eventually(1000, 'the release', () => Promise.resolve(member.snapshots.released === 1 ? true : undefined));
    expect(member.snapshots.bytesRead).toBe(0);
    raw.close();
  });

  it('is one of two at a time; a third is refused', async () => {
    member.snapshots.sizeBytes = largeBytes;
    const two = [await client.maintenance.snapshot(), await client.maintenance.snapshot()].map((it) =>
      it[Symbol.asyncIterator](),
    );
    const impatient = new QuorateClient({ endpoints: [member.address], maxAttempts: 1 });
    await expect(impatient.maintenance.snapshot()).rejects.toMatchObject({
      code: 'overloaded',
      details: { limit: '2 at a time' },
    });
    impatient.close();
    for (const iterator of two) {
      await iterator.next();
      await iterator.return?.();
    }
    await eventually(1000, 'two releases', () => Promise.resolve(member.snapshots.released === 2 ? true : undefined));
    member.snapshots.sizeBytes = 10;
    expect(await collect(await client.maintenance.snapshot())).toHaveLength(10);
  });

  it('that cannot be made is asked for again, and then refused', async () => {
    let attempts = 0;
    member.snapshots.beforeCopy = () => {
      attempts++;
      return Promise.reject(new QuorateError('snapshot-failed', 'no space left', { details: { retryAfterMs: 10 } }));
    };
    const patient = new QuorateClient({ endpoints: [member.address], maxAttempts: 3 });
    await expect(patient.maintenance.snapshot()).rejects.toMatchObject({
      code: 'snapshot-failed',
      message: 'no space left',
    });
    patient.close();
    expect(attempts).toBe(3);
    expect(member.bugs).toEqual([]);
  });

  it('that breaks on its way fails, and is not taken for a whole one', async () => {
    member.snapshots.beforeRead = (offset) =>
      offset === 0 ? Promise.resolve() : Promise.reject(new QuorateError('snapshot-failed', 'it cannot be read'));
    await expect(collect(await client.maintenance.snapshot())).rejects.toMatchObject({ code: 'snapshot-failed' });
    expect(member.snapshots.released).toBe(1);
  });

  it('with other bytes than announced fails', async () => {
    member.snapshots.lies = true;
    await expect(collect(await client.maintenance.snapshot())).rejects.toMatchObject({
      code: 'snapshot-failed',
      message: expect.stringContaining('SHA-256') as string,
    });
  });

  it('that falls silent fails in time', async () => {
    member.snapshots.beforeRead = (offset) => (offset === 0 ? Promise.resolve() : new Promise(() => undefined));
    const begun = performance.now();
    await expect(collect(await client.maintenance.snapshot({ maxSilenceMs: 200 }))).rejects.toMatchObject({
      code: 'deadline-exceeded',
    });
    expect(performance.now() - begun).toBeLessThan(2000);
  });

  it('comes to any gRPC client as header and chunks', async () => {
    const raw = new MaintenanceServiceClient(member.address, credentials.createInsecure());
    const messages: SnapshotResponse[] = [];
    for await (const message of raw.snapshot({})) messages.push(message as SnapshotResponse);
    expect(messages.map(({ part }) => part?.$case)).toEqual(['header', 'chunk', 'chunk', 'chunk', 'chunk']);
    raw.close();
  });
});

async function collect(chunks: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const all: Uint8Array[] = [];
  for await (const chunk of chunks) all.push(chunk);
  return Buffer.concat(all);
}

/** The value once it has not changed for a quarter of a second. */
async function standstill(value: () => number): Promise<number> {
  for (let before = -1; ;) {
    if (value() === before) return before;
    before = value();
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
}
