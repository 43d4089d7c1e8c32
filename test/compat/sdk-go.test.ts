/** The SDK example for Go: generated, built with Debian's packages and run as docs/sdk.md says, while the leader dies. */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ProcessCluster } from '../support/process-cluster';
import { findSdkTools, generateStubs, root, run, runExample } from '../support/sdk';

const count = 300;
const missing = findSdkTools('go');

/** Debian's packages are found where Go looked before it had modules. */
function build(directory: string): string {
  const workspace = join(directory, 'src/quorate.dev');
  const program = join(directory, 'example');
  mkdirSync(workspace, { recursive: true });
  symlinkSync(join(root, 'sdk/go'), join(workspace, 'sdk'));
  const env = {
    ...{ GO111MODULE: 'off', GOFLAGS: '', GOPATH: `${directory}:/usr/share/gocode` },
    // Compiling gRPC takes a minute, the first time.
    GOCACHE: join(root, 'node_modules/.cache/quorate/go'),
  };
  run('go', ['vet', '-tags', 'debian', 'quorate.dev/sdk/example'], { cwd: join(workspace, 'sdk'), env });
  run('go', ['build', '-tags', 'debian', '-o', program, 'quorate.dev/sdk/example'], {
    cwd: join(workspace, 'sdk'),
    env,
  });
  return program;
}

(missing === undefined ? describe : describe.skip)('The example for Go', () => {
  const directory = mkdtempSync(join(tmpdir(), 'quorate-go-'));
  let program: string;
  let cluster: ProcessCluster;

  beforeAll(async () => {
    generateStubs('go');
    program = build(directory);
    cluster = await ProcessCluster.start();
  }, 400_000);

  afterAll(async () => {
    await cluster.stop();
    rmSync(directory, { recursive: true, force: true });
  });

  it('does what it says, each change once, although the leader is killed meanwhile', async () => {
    const leader = await cluster.leader();
    const killed: Promise<unknown>[] = [];
    const endpoints = cluster.members.map(({ clientAddress }) => clientAddress);
    const lines = await runExample([program, ...endpoints], { COUNT: String(count) }, (line) => {
      if (line === 'counting') killed.push(cluster.end(leader, 'SIGKILL'));
    });
    await Promise.all(killed);
    expect(killed).toHaveLength(1);
    expect(lines).toEqual([
      'put: replayed false, then true; same revision true',
      'get: hello',
      'txn: succeeded true',
      'txn: succeeded false',
      'watch: go/greeting=hello, go/greeting=hello again',
      'lease: kept alive true',
      'lease: key left false',
      'error: PRECONDITION_FAILED not-done',
      'counting',
      `count: ${String(count)} of ${String(count)}`,
    ]);
  });
});
