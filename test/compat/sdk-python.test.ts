/** The SDK example for Python: generated, run as docs/sdk.md says, while the leader dies. */
import { join } from 'node:path';
import { ProcessCluster } from '../support/process-cluster';
import { findSdkTools, generateStubs, root, runExample } from '../support/sdk';

const count = 300;
const missing = findSdkTools('python');

(missing === undefined ? describe : describe.skip)('The example for Python', () => {
  let cluster: ProcessCluster;

  beforeAll(async () => {
    generateStubs('python');
    cluster = await ProcessCluster.start();
  }, 120_000);

  afterAll(() => cluster.stop());

  it('does what it says, each change once, although the leader is killed meanwhile', async () => {
    const leader = await cluster.leader();
    const killed: Promise<unknown>[] = [];
    const example = join(root, 'sdk/python/example.py');
    const endpoints = cluster.members.map(({ clientAddress }) => clientAddress);
    const lines = await runExample(['/usr/bin/python3', example, ...endpoints], { COUNT: String(count) }, (line) => {
      if (line === 'counting') killed.push(cluster.end(leader, 'SIGKILL'));
    });
    await Promise.all(killed);
    expect(killed).toHaveLength(1);
    expect(lines).toEqual([
      'put: replayed False, then True; same revision True',
      'get: hello',
      'txn: succeeded True',
      'txn: succeeded False',
      "watch: ['python/greeting=hello', 'python/greeting=hello again']",
      'lease: kept alive [True]',
      'lease: key left False',
      'error: PRECONDITION_FAILED not-done',
      'counting',
      `count: ${String(count)} of ${String(count)}`,
    ]);
  });
});
