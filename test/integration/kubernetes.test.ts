/** The manifests in k8s/: valid, consistent with each other, with the image, and with what the program accepts. */
import type { IStatefulSet } from 'kubernetes-models/apps/v1';
import type { IContainer, IPodSpec, IProbe } from 'kubernetes-models/v1';
import { variableOf } from '../../src/base/names';
import { livenessServices, quorumServices } from '../../src/ops/health';
import { initialClusterOf } from '../../src/ops/members';
import { optionList, type ServeOptions } from '../../src/ops/options';
import { readOptions } from '../../src/ops/read-options';
import { containerOf, findKubectl, imageConfig, type Manifest, Manifests, podOf } from '../support/manifests';
import { schemaProblem, unknownFields } from '../support/manifest-schema';

const kubectl = findKubectl();
if ('missing' in kubectl) process.stderr.write(`LEFT OUT, all tests of the manifests: ${kubectl.missing}\n`);

const flags = new Set(optionList.map(([, { flag }]) => flag));
const portOf = (address: string): number => Number(address.slice(address.lastIndexOf(':') + 1));

/** The options of a pod, read exactly as `quorate serve` reads them. */
function optionsOf(set: Manifest & IStatefulSet, ordinal: number): ServeOptions {
  const { args, env } = podOf(set, ordinal, 'stage');
  const pairs = args.slice(1).map((argument) => /^--([a-z-]+)=(.*)$/.exec(argument)?.slice(1) ?? [argument]);
  return readOptions({ flags: Object.fromEntries(pairs) as Record<string, string>, env, configFile: undefined });
}

('missing' in kubectl ? describe.skip : describe).each(['dev', 'production'])('The overlay %s', (overlay) => {
  let manifests: Manifests;
  let set: Manifest & IStatefulSet;
  let pod: IPodSpec;
  let container: IContainer;
  let podLabels: Readonly<Record<string, string>>;

  beforeAll(() => {
    manifests = Manifests.render('path' in kubectl ? kubectl.path : '', overlay);
    set = manifests.one('StatefulSet');
    podLabels = set.spec?.template.metadata?.labels ?? {};
    pod = set.spec?.template.spec ?? { containers: [] };
    container = containerOf(set);
  });

  it('holds the objects of a cluster, each once, in no fixed namespace', () => {
    const names = manifests.all.map(({ kind, metadata }) => `${kind} ${metadata.name}`);
    expect(names.sort()).toEqual([
      'NetworkPolicy quorate',
      'PodDisruptionBudget quorate',
      'Service quorate',
      'Service quorate-peer',
      'ServiceAccount quorate',
      'StatefulSet quorate',
    ]);
    expect(manifests.all.filter(({ metadata }) => 'namespace' in metadata)).toEqual([]);
  });

  it('fits the schemas of Kubernetes, with no field that Kubernetes does not know', () => {
    expect(manifests.all.map(schemaProblem).filter((problem) => problem !== undefined)).toEqual([]);
    expect(unknownFields(manifests.all)).toEqual([]);
  }, 60_000);

  it('selects the pods everywhere by labels they have', () => {
    const selectors = [
      set.spec?.selector.matchLabels,
      manifests.one('PodDisruptionBudget').spec?.selector?.matchLabels,
      manifests.one('NetworkPolicy').spec?.podSelector.matchLabels,
      ...manifests.of('Service').map(({ spec }) => spec?.selector),
      ...(pod.topologySpreadConstraints ?? []).map(({ labelSelector }) => labelSelector?.matchLabels),
      ...antiAffinityTerms(pod).map(({ labelSelector }) => labelSelector?.matchLabels),
    ];
    expect(selectors.length).toBeGreaterThanOrEqual(7);
    for (const selector of selectors) {
      expect(Object.keys(selector ?? {})).not.toEqual([]);
      expect(podLabels).toMatchObject(selector ?? {});
    }
  });

  it('gives each pod a name in DNS before it is ready, under which its peers look for it', () => {
    const peers = manifests.one('Service', set.spec?.serviceName);
    expect(peers.spec).toMatchObject({ clusterIP: 'None', publishNotReadyAddresses: true });
    for (const [ordinal, name] of podNames(set).entries()) {
      const { self, members } = initialClusterOf(optionsOf(set, ordinal));
      expect(self.name).toBe(name);
      expect(members.map((member) => member.name)).toEqual(podNames(set));
      const host = `${name}.${peers.metadata.name}.stage.svc`;
      expect(self).toMatchObject({ peerAddress: `${host}:2380`, clientAddress: `${host}:2379` });
    }
  });

  it('names the same ports in the image, the options, the container and the services', () => {
    const { clientListen, peerListen } = optionsOf(set, 0);
    const ports = new Map((container.ports ?? []).map(({ name, containerPort }) => [name ?? '', containerPort]));
    expect(Object.fromEntries(ports)).toEqual({ client: portOf(clientListen), peer: portOf(peerListen) });
    expect(imageConfig().ports).toEqual([...ports.values()]);
    const { self } = initialClusterOf(optionsOf(set, 0));
    expect([portOf(self.clientAddress), portOf(self.peerAddress)]).toEqual([...ports.values()]);
    for (const { spec } of manifests.of('Service')) {
      for (const { name, port, targetPort } of spec?.ports ?? []) {
        expect(targetPort).toBe(name);
        expect(port).toBe(ports.get(name ?? ''));
      }
    }
    expect(manifests.one('Service', 'quorate').spec?.ports).toHaveLength(1);
  });

  it('probes the client port, and restarts no member for lack of a quorum', () => {
    const { startupProbe, livenessProbe, readinessProbe } = container;
    const port = portOf(optionsOf(set, 0).clientListen);
    for (const probe of [startupProbe, livenessProbe]) {
      expect(probe?.grpc?.port).toBe(port);
      expect(livenessServices).toContain(probe?.grpc?.service);
    }
    expect(readinessProbe?.grpc?.port).toBe(port);
    expect(quorumServices).toContain(readinessProbe?.grpc?.service);
    expect(patienceSeconds(startupProbe)).toBeGreaterThanOrEqual(120);
    expect(patienceSeconds(livenessProbe)).toBeGreaterThanOrEqual(30);
  });

  it('keeps the data on a volume of its own, where image and options expect it', () => {
    const { volume, env } = imageConfig();
    const [claim] = set.spec?.volumeClaimTemplates ?? [];
    expect(container.volumeMounts).toEqual([{ name: claim?.metadata?.name, mountPath: volume }]);
    expect(optionsOf(set, 0).dataDir).toBe(volume);
    expect(env).toMatchObject({ QUORATE_DATA_DIR: volume, SQLITE_TMPDIR: volume });
    expect(claim?.spec?.accessModes).toEqual(['ReadWriteOnce']);
    const kept = set.spec?.persistentVolumeClaimRetentionPolicy;
    expect(kept).toEqual({ whenDeleted: overlay === 'dev' ? 'Delete' : 'Retain', whenScaled: 'Retain' });
  });

  it('gives the member no rights it does not need', () => {
    const [user, group] = imageConfig().user.split(':').map(Number);
    expect(pod.securityContext).toMatchObject({
      runAsNonRoot: true,
      runAsUser: user,
      runAsGroup: group,
      fsGroup: group,
      seccompProfile: { type: 'RuntimeDefault' },
    });
    expect(container.securityContext).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    });
    const account = manifests.one('ServiceAccount');
    expect(pod.serviceAccountName).toBe(account.metadata.name);
    expect([pod.automountServiceAccountToken, account.automountServiceAccountToken]).toEqual([false, false]);
  });

  it('lets in peers from the cluster alone, and out only to peers and DNS', () => {
    const { spec } = manifests.one('NetworkPolicy');
    expect(spec?.policyTypes).toEqual(['Ingress', 'Egress']);
    const members = [{ podSelector: { matchLabels: podLabels } }];
    const peerRules = spec?.ingress?.filter(({ ports }) => ports?.some(({ port }) => port !== 'client')) ?? [];
    expect(peerRules).toEqual([{ from: members, ports: [{ protocol: 'TCP', port: 'peer' }] }]);
    expect(spec?.ingress).toHaveLength(2);
    expect(spec?.egress).toEqual([
      { to: members, ports: [{ protocol: 'TCP', port: 'peer' }] },
      { ports: ['UDP', 'TCP'].map((protocol) => ({ protocol, port: 53 })) },
    ]);
  });

  it('leaves a quorum when it takes a member away on purpose', () => {
    const budget = manifests.one('PodDisruptionBudget').spec?.maxUnavailable;
    expect(budget).toBe(1);
    expect(set.spec).toMatchObject({ podManagementPolicy: 'Parallel', updateStrategy: { type: 'RollingUpdate' } });
    expect(set.spec?.replicas).toBeGreaterThanOrEqual(3);
  });

  it('keeps members on different nodes, by all means in production', () => {
    const required = pod.affinity?.podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? [];
    expect(required.length > 0).toBe(overlay === 'production');
    expect(antiAffinityTerms(pod).map(({ topologyKey }) => topologyKey)).toEqual(['kubernetes.io/hostname']);
    const spread = pod.topologySpreadConstraints ?? [];
    expect(spread.map(({ topologyKey }) => topologyKey)).toEqual(['topology.kubernetes.io/zone']);
  });

  it('waits longer for a member to stop than it takes to drain', () => {
    const graceMs = 1000 * (pod.terminationGracePeriodSeconds ?? 0);
    // What closing the files may take beside draining (cli/serve/process.ts).
    expect(graceMs).toBeGreaterThan(optionsOf(set, 0).drainTimeoutMs + 10_000);
  });

  it('uses only options that exist, and keeps variables of services away from them', () => {
    const [verb, ...options] = container.args ?? [];
    expect([verb]).toEqual(imageConfig().command);
    for (const option of options) expect(flags).toContain(/^--([a-z-]+)=/.exec(option)?.[1]);
    const variables = new Set([...flags].map(variableOf));
    const ours = Object.keys(podOf(set, 0, 'stage').env).filter((name) => name.startsWith('QUORATE_'));
    expect(ours).toContain('QUORATE_NAME');
    expect(ours.filter((name) => !variables.has(name))).toEqual([]);
    expect(pod.enableServiceLinks).toBe(false);
  });

  it('names a definite image and bounds its memory, but not its processor time', () => {
    expect(container.image).toMatch(/quorate:(?!latest)[a-z0-9.-]+$/);
    expect(Object.keys(container.resources?.limits ?? {})).toEqual(['memory']);
    expect(Object.keys(container.resources?.requests ?? {}).sort()).toEqual(['cpu', 'memory']);
  });
});

function podNames(set: Manifest & IStatefulSet): readonly string[] {
  return Array.from({ length: set.spec?.replicas ?? 0 }, (_, ordinal) => `${set.metadata.name}-${String(ordinal)}`);
}

function antiAffinityTerms({ affinity }: IPodSpec) {
  const { requiredDuringSchedulingIgnoredDuringExecution: required = [], ...rest } = affinity?.podAntiAffinity ?? {};
  const preferred = rest.preferredDuringSchedulingIgnoredDuringExecution ?? [];
  return [...required, ...preferred.map(({ podAffinityTerm }) => podAffinityTerm)];
}

/** How long a probe may fail before something happens. */
function patienceSeconds(probe: IProbe | undefined): number {
  return (probe?.periodSeconds ?? 0) * (probe?.failureThreshold ?? 0);
}
