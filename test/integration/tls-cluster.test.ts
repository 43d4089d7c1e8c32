/** A cluster in which everything uses TLS: members, clients, and a member that joins. */
import { copyFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type CertificateFiles, TestAuthority } from '../support/certificates';
import { shownOf } from '../support/https-caller';
import { eventually, ProcessCluster } from '../support/process-cluster';

const clients = new TestAuthority('authority of clients');
const peers = new TestAuthority('authority of peers');
const shownToClients = clients.issue('member');
const shownToPeers = peers.issue('peer', { names: ['localhost', '127.0.0.1', 'peer.quorate.test'] });
const other = peers.issue('other');
const files = (side: string, { certFile, keyFile }: typeof other, { caFile }: TestAuthority) => [
  ...[`--${side}-cert-file`, certFile, `--${side}-key-file`, keyFile],
  ...[`--${side}-ca-file`, caFile],
];
const args = [
  ...files('client', shownToClients, clients),
  ...files('peer', shownToPeers, peers),
  ...['--peer-allowed-names', 'member-0.quorate.test,peer.quorate.test'],
];
const tls = shownOf(clients.ca, clients.issue('client', { usage: 'client', names: [] }));

let cluster: ProcessCluster;
beforeAll(async () => {
  cluster = await ProcessCluster.start({ members: 3, args, tls });
});
afterAll(async () => {
  await cluster.stop();
  clients.remove();
  peers.remove();
});

const logOf = (name: string) => readFileSync(join(cluster.directory, `${name}.log`), 'utf8');

describe('A cluster with TLS everywhere', () => {
  it('replicates, and says in its log what is secured', async () => {
    await cluster.client().put('a', '1');
    await cluster.converged();
    for (const { name } of cluster.members) expect(logOf(name)).toContain('"clientTls":"mutual","peerTls":"mutual"');
  });

  it('lets a member join, which shows its own certificate to the members it asks', async () => {
    const joining = await cluster.newcomer('joining');
    const { peerAddress, clientAddress } = joining;
    await cluster
      .client(cluster.members.slice(0, 3))
      .cluster.addMember({ name: 'joining', peerAddress, clientAddress });
    cluster.startMember(joining);
    await cluster.converged();
    expect((await cluster.contents(joining)).map(({ key }) => key)).toEqual(['a']);
    await cluster.end(joining, 'SIGTERM');
  }, 60_000);

  it('has nothing to do with a member whose certificate carries another name, until it has the right one', async () => {
    const [victim, ...others] = cluster.members.slice(0, 3);
    if (victim === undefined) throw new Error('the cluster has members');
    await cluster.end(victim, 'SIGTERM');
    const right = { certFile: peers.path('right.pem'), keyFile: peers.path('right.key') };
    replaceFiles(right, shownToPeers);
    // Those that run keep their connections to each other.
    replaceFiles(shownToPeers, other);
    cluster.startMember(victim);
    const refusals = () => others.filter(({ name }) => logOf(name).includes('allowed'));
    await eventually(20_000, 'a refusal', async () => (refusals().length > 0 ? true : undefined));
    expect((await cluster.status(victim))?.hasQuorum).toBe(false);
    replaceFiles(shownToPeers, right);
    await cluster.converged(30_000, [victim, ...others]);
  }, 60_000);
});

function replaceFiles(to: CertificateFiles, from: CertificateFiles): void {
  copyFileSync(from.certFile, to.certFile);
  copyFileSync(from.keyFile, to.keyFile);
}
