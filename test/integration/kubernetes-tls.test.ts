/** The overlay tls: production with TLS, and nothing else. */
import type { IStatefulSet } from 'kubernetes-models/apps/v1';
import type { INetworkPolicyIngressRule } from 'kubernetes-models/networking.k8s.io/v1';
import { probe, type ProbeDependencies } from '../../src/api/etcd/http/probes';
import type { ServeOptions } from '../../src/ops/options';
import { readOptions } from '../../src/ops/read-options';
import { containerOf, findKubectl, type Manifest, Manifests, podOf } from '../support/manifests';
import { schemaProblem, unknownFields } from '../support/manifest-schema';

const kubectl = findKubectl();
if ('missing' in kubectl) process.stderr.write(`LEFT OUT, all tests of the overlay tls: ${kubectl.missing}\n`);

/** The keys of a secret as cert-manager makes it (type kubernetes.io/tls). */
const keysOfSecret = ['tls.crt', 'tls.key', 'ca.crt'];

('missing' in kubectl ? describe.skip : describe)('The overlay tls', () => {
  let production: Manifests;
  let tls: Manifests;
  let set: Manifest & IStatefulSet;
  let options: ServeOptions;

  beforeAll(() => {
    const path = 'path' in kubectl ? kubectl.path : '';
    production = Manifests.render(path, 'production');
    tls = Manifests.render(path, 'tls');
    set = tls.one('StatefulSet');
    const { args, env } = podOf(set, 0, 'stage');
    const flags = Object.fromEntries(args.slice(1).map((argument) => argument.replace(/^--/, '').split('=')));
    options = readOptions({ flags: flags as Record<string, string>, env, configFile: undefined });
  });

  it('fits the schemas of Kubernetes, with no field that Kubernetes does not know', () => {
    expect(tls.all.map(schemaProblem).filter((problem) => problem !== undefined)).toEqual([]);
    expect(unknownFields(tls.all)).toEqual([]);
  }, 60_000);

  it('has the objects of production, and changes two of them', () => {
    const changed = tls.all.filter((object, at) => JSON.stringify(object) !== JSON.stringify(production.all[at]));
    expect(changed.map(({ kind }) => kind).sort()).toEqual(['NetworkPolicy', 'StatefulSet']);
    expect(tls.all).toHaveLength(production.all.length);
    const before = containerOf(production.one('StatefulSet'));
    const { args, ports, volumeMounts, startupProbe, livenessProbe, readinessProbe, ...rest } = containerOf(set);
    expect(before).toMatchObject(rest);
    expect(args?.slice(0, before.args?.length)).toEqual(before.args);
    expect([ports?.slice(0, -1), volumeMounts?.slice(0, -2)]).toEqual([before.ports, before.volumeMounts]);
    for (const [probe_, old] of [
      [startupProbe, before.startupProbe],
      [livenessProbe, before.livenessProbe],
      [readinessProbe, before.readinessProbe],
    ] as const) {
      expect({ ...probe_, httpGet: 0 }).toEqual({ ...old, grpc: undefined, httpGet: 0 });
    }
  });

  it('takes all files from secrets that are mounted where the options look for them', () => {
    const mounts = new Map(containerOf(set).volumeMounts?.map(({ name, mountPath }) => [mountPath, name]));
    const { clientCertFile, clientKeyFile, clientCaFile, peerCertFile, peerKeyFile, peerCaFile } = options;
    for (const [secret, ...files] of [
      ['quorate-client-tls', clientCertFile, clientKeyFile, clientCaFile],
      ['quorate-peer-tls', peerCertFile, peerKeyFile, peerCaFile],
    ]) {
      const [place] = (files[0] ?? '').split('/tls.crt');
      expect(files).toEqual(keysOfSecret.map((key) => `${place ?? ''}/${key}`));
      const volume = set.spec?.template.spec?.volumes?.find(({ name }) => name === mounts.get(place ?? ''));
      // Group and nobody else: the pod's fsGroup is the member's.
      expect(volume?.secret).toEqual({ secretName: secret, defaultMode: 0o440 });
    }
  });

  it('is probed where no certificate is asked for', async () => {
    const { ports, startupProbe, livenessProbe, readinessProbe } = containerOf(set);
    const port = Number(options.metricsListen?.split(':').at(-1));
    expect(ports?.at(-1)).toEqual({ name: 'metrics', containerPort: port });
    const paths = [startupProbe, livenessProbe, readinessProbe].map((it) => it?.httpGet?.path);
    expect(paths).toEqual(['/livez', '/livez', '/readyz']);
    for (const path of paths) {
      expect(await probe(healthy, new URL(path ?? '', 'http://pod'))).toMatchObject({ status: 200 });
    }
  });

  it('lets clients, and nobody else, read the metrics', () => {
    const rulesOf = (manifests: Manifests) => manifests.one('NetworkPolicy').spec?.ingress ?? [];
    const before = rulesOf(production);
    const portsOf = ({ ports }: INetworkPolicyIngressRule) => ports?.map(({ port }) => port);
    expect(rulesOf(tls).map(portsOf)).toEqual([['peer'], ['client', 'metrics']]);
    expect(rulesOf(tls).map(({ from }) => from)).toEqual(before.map(({ from }) => from));
  });
});

const healthy: ProbeDependencies = {
  proposer: { readBarrier: () => Promise.resolve() },
  reader: { alarms: [] },
  status: () => ({ leader: 1n }),
  isLearner: () => false,
  scheduler: { now: () => 0 },
};
