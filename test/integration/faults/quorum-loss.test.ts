/** Two of three members up: everything works. One of three: nothing is promised, and it recovers by itself. */
import { QuorateError } from '../../../src/client';
import { ProcessCluster, eventually, type ProcessMember } from '../../support/process-cluster';

describe('loss of members', () => {
  let cluster: ProcessCluster;

  beforeEach(async () => {
    cluster = await ProcessCluster.start();
  }, 30_000);
  afterEach(() => cluster.stop());

  async function failureOf(call: Promise<unknown>): Promise<QuorateError> {
    const error: unknown = await call.then(
      () => undefined,
      (reason: unknown) => reason,
    );
    if (error instanceof QuorateError) return error;
    throw new Error(`expected a QuorateError, got ${String(error)}`);
  }

  it('works with two of three, refuses with one of three, and recovers when a second returns', async () => {
    const leader = await cluster.leader();
    const [first, second] = cluster.members.filter((member) => member !== leader) as [ProcessMember, ProcessMember];
    await cluster.client().put('before', '1');

    await cluster.end(first, 'SIGKILL');
    const two = cluster.client([leader, second]);
    await two.put('with two', '2');
    expect((await two.get('with two')).kv?.value).toBe('2');

    await cluster.end(leader, 'SIGKILL');
    const alone = cluster.client([second], 2000);
    await eventually(10_000, 'member without a quorum', async () =>
      (await cluster.status(second))?.hasQuorum === false ? true : undefined,
    );
    const write = await failureOf(alone.put('alone', '3'));
    expect(write).toMatchObject({ code: 'no-leader', outcome: 'not-done' });
    const read = await failureOf(alone.get('before'));
    expect(read).toMatchObject({ outcome: 'not-done' });
    expect(['no-leader', 'no-quorum']).toContain(read.code);
    expect((await alone.get('before', { consistency: 'stale' })).kv?.value).toBe('1');

    cluster.startMember(first);
    await cluster.leader([first, second]);
    await alone.put('again', '4');
    cluster.startMember(leader);
    await cluster.converged();
    for (const member of cluster.members) {
      const keys = (await cluster.contents(member)).map(({ key }) => key);
      expect(keys).toEqual(['again', 'before', 'with two']);
    }
  }, 60_000);
});
