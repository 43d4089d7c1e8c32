/** A cluster of processes whose members talk in TLS: it elects, replicates, recovers, and takes new certificates in turn. */
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type CertificateFiles, TestAuthority } from '../support/certificates';
import { eventually, ProcessCluster, type ProcessMember } from '../support/process-cluster';

const ours = new TestAuthority('ours');
const foreign = new TestAuthority('foreign');

afterAll(() => {
  ours.remove();
  foreign.remove();
});

/** Files that a member is told to use. */
class UsedFiles {
  readonly certFile: string;
  readonly keyFile: string;
  readonly caFile: string;

  constructor(name: string) {
    this.certFile = ours.path(`used-${name}.pem`);
    this.keyFile = ours.path(`used-${name}.key`);
    this.caFile = ours.path(`used-${name}-ca.pem`);
  }

  use(files: CertificateFiles, caFile: string): void {
    copyFileSync(files.certFile, this.certFile);
    copyFileSync(files.keyFile, this.keyFile);
    copyFileSync(caFile, this.caFile);
  }

  get args(): readonly string[] {
    return ['--peer-cert-file', this.certFile, '--peer-key-file', this.keyFile, '--peer-ca-file', this.caFile];
  }
}

const logOf = (cluster: ProcessCluster, { name }: ProcessMember) =>
  readFileSync(join(cluster.directory, `${name}.log`), 'utf8');

const said = (cluster: ProcessCluster, member: ProcessMember, text: string) =>
  eventually(20_000, `${member.name} says: ${text}`, async () =>
    logOf(cluster, member).includes(text) ? true : undefined,
  );

const saidLike = (cluster: ProcessCluster, member: ProcessMember, pattern: RegExp) =>
  eventually(20_000, `${member.name} says ${String(pattern)}`, async () =>
    pattern.test(logOf(cluster, member)) ? true : undefined,
  );

describe('a cluster with TLS between its members', () => {
  it('elects, writes, loses its leader, sends a snapshot to a member that lags, and goes on', async () => {
    const files = new UsedFiles('cluster');
    files.use(ours.issue('member'), ours.caFile);
    const small = ['--compact-log-bytes', '200000', '--trailing-log-entries', '10', '--trailing-log-bytes', '50000'];
    const cluster = await ProcessCluster.start({ args: [...files.args, '--peer-allowed-names', 'member', ...small] });
    try {
      const client = cluster.client();
      await client.put('first', '1');
      const leader = await cluster.leader();
      await cluster.end(leader, 'SIGKILL');
      const value = 'x'.repeat(10_000);
      for (let at = 0; at < 60; at++) await client.put(`key-${String(at)}`, value);
      cluster.startMember(leader);
      await cluster.converged();
      expect((await cluster.contents(leader)).length).toBe(61);
      expect(logOf(cluster, leader)).toContain('a snapshot was installed');
    } finally {
      await cluster.stop();
    }
  });

  it('goes on while members of other authorities, and in plain text, knock in vain; both say so', async () => {
    const files = ['m1', 'm2', 'm3'].map((name) => new UsedFiles(name));
    for (const each of files) each.use(ours.issue('member'), ours.caFile);
    const plain = new Set<string>();
    const argsOf = (name: string) => (plain.has(name) ? [] : (files[Number(name.slice(1)) - 1]?.args ?? []));
    const cluster = await ProcessCluster.start({ argsOf });
    try {
      const [first, second, third] = cluster.members as [ProcessMember, ProcessMember, ProcessMember];
      await cluster.end(third, 'SIGKILL');
      files[2]?.use(foreign.issue('member'), ours.caFile);
      cluster.startMember(third);
      const leader = await cluster.leader([first, second]);
      await said(cluster, leader, 'its certificate is not signed by an authority trusted here');
      await said(cluster, third, 'may not accept the certificate that it was shown');
      await cluster.client([first, second]).put('k', 'v');

      await cluster.end(third, 'SIGKILL');
      plain.add(third.name);
      cluster.startMember(third);
      await said(cluster, third, 'does not speak HTTP/2 there, or expects TLS');
      await said(cluster, leader, 'it does not speak TLS');
      await cluster.client([first, second]).put('k', 'w');
      expect((await cluster.status(third))?.leaderId).toBeUndefined();
    } finally {
      await cluster.stop();
    }
  });

  it('takes certificates of another authority while it runs, as an operator replaces them', async () => {
    const files = new UsedFiles('replaced');
    files.use(ours.issue('member'), ours.caFile);
    const cluster = await ProcessCluster.start({ args: files.args });
    try {
      const client = cluster.client();
      await client.put('k', '1');
      // First both authorities are trusted, then the certificates are changed.
      const both = ours.path('both.pem');
      writeFileSync(both, ours.ca + foreign.ca);
      files.use(ours.issue('member'), both);
      for (const member of cluster.members) await said(cluster, member, 'new files for TLS are in use');
      files.use(foreign.issue('member'), foreign.caFile);
      const twice = /(new files for TLS are in use.*){2}/s;
      for (const member of cluster.members) await saidLike(cluster, member, twice);
      await client.put('k', '2');
      for (const member of cluster.members) {
        await cluster.end(member, 'SIGKILL');
        cluster.startMember(member);
        await cluster.converged();
        await client.put('k', '3');
      }
      expect((await client.get('k')).kv?.version).toBe(5);
    } finally {
      await cluster.stop();
    }
  });
});
