import { TestAuthority } from '../support/certificates';
import { Etcdctl } from '../support/etcdctl';
import { findForeign } from '../support/foreign';
import { shownOf } from '../support/https-caller';
import { ProcessCluster } from '../support/process-cluster';

const program = findForeign('client', 'etcdctl with TLS');

('missing' in program ? describe.skip : describe)('etcdctl with TLS', () => {
  const authority = new TestAuthority();
  const member = authority.issue('member');
  const client = authority.issue('client', { usage: 'client', names: [] });
  const shown = ['--cacert', authority.caFile, '--cert', client.certFile, '--key', client.keyFile];
  let cluster: ProcessCluster;
  let etcdctl: Etcdctl;

  beforeAll(async () => {
    const flags = [
      ...['--client-cert-file', member.certFile, '--client-key-file', member.keyFile],
      ...['--client-ca-file', authority.caFile],
    ];
    cluster = await ProcessCluster.start({ members: 1, args: flags, tls: shownOf(authority.ca, client) });
    const endpoints = cluster.members.map(({ clientAddress }) => `https://${clientAddress}`);
    etcdctl = new Etcdctl('path' in program ? program.path : '', endpoints);
  }, 60_000);
  afterAll(async () => {
    etcdctl.stop();
    await cluster.stop();
    authority.remove();
  });

  it('writes, reads, and watches', async () => {
    const watch = etcdctl.start(['watch', 'key', ...shown]);
    expect(await etcdctl.run(['put', 'key', 'value', ...shown])).toEqual({ code: 0, stdout: 'OK\n', stderr: '' });
    expect((await etcdctl.run(['get', 'key', ...shown])).stdout).toBe('key\nvalue\n');
    // It may have begun after the first.
    await etcdctl.run(['put', 'key', 'again', ...shown]);
    await watch.lines(3);
    watch.interrupt();
  });

  it('finds the members by what they tell of themselves', async () => {
    const { stdout: list } = await etcdctl.run(['member', 'list', ...shown]);
    expect(list).toBe('ID, started, m1, http://ADDRESS, https://ADDRESS, false\n');
    const { code, stdout, stderr } = await etcdctl.run(['endpoint', 'health', '--cluster', ...shown]);
    expect(stdout + stderr).toContain('is healthy');
    expect(code).toBe(0);
  });

  it('is refused without a certificate', async () => {
    const bare = ['--cacert', authority.caFile, '--command-timeout', '1s'];
    expect((await etcdctl.run(['get', 'key', ...bare])).code).not.toBe(0);
  });
});
