/** Pods of k8s/ as processes: exactly the rendered arguments and variables, probed as rendered. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { IStatefulSet } from 'kubernetes-models/apps/v1';
import type { IContainer, IProbe } from 'kubernetes-models/v1';
import { QuorateClient } from '../../src/client';
import { containerOf, findKubectl, type Manifest, Manifests, podOf } from '../support/manifests';
import { canGiveOwnHosts, endPod, probe, type RunningPod, startPod } from '../support/pod-process';
import { eventually } from '../support/process-cluster';

jest.setTimeout(120_000);

const namespace = 'stage';
const kubectl = findKubectl();
const ownHosts = canGiveOwnHosts();
if ('missing' in kubectl) process.stderr.write(`LEFT OUT, all tests of pods: ${kubectl.missing}\n`);
if (!ownHosts) {
  if ((process.env['CI'] ?? '') !== '') throw new Error('no mount namespaces here, which the test of three pods needs');
  process.stderr.write('LEFT OUT, the test of three pods: it needs mount namespaces (Linux, "unshare --mount")\n');
}

let set: Manifest & IStatefulSet;
let container: IContainer;
let directory: string;
let pods: RunningPod[];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'quorate-pods-'));
  pods = [];
});

afterEach(async () => {
  await Promise.all(pods.map((pod) => endPod(pod, 'SIGKILL')));
  rmSync(directory, { recursive: true, force: true });
});

function render(overlay: string): void {
  set = Manifests.render('path' in kubectl ? kubectl.path : '', overlay).one('StatefulSet');
  container = containerOf(set);
}

function start(ordinal: number, host: string, hostsFile?: string): RunningPod {
  const pod = podOf(set, ordinal, namespace);
  const place = { host, dataDir: join(directory, pod.name), ...(hostsFile === undefined ? {} : { hostsFile }) };
  const running = startPod(pod, place);
  pods.push(running);
  return running;
}

async function becomes(pod: RunningPod, asked: IProbe | undefined, expected: string): Promise<void> {
  let last = '';
  await eventually(20_000, `${expected} of ${pod.host}`, async () => {
    last = await probe(pod, asked ?? {});
    return last === expected ? true : undefined;
  }).catch((error: unknown) => {
    throw new Error(`${String(error)}; last: ${last}\n${pod.output()}`);
  });
}

describe.each(['dev', 'production'])('A pod of the overlay %s', (overlay) => {
  ('missing' in kubectl ? it.skip : it)('is alive and not ready as long as it is alone', async () => {
    render(overlay);
    const { startupProbe = {}, livenessProbe = {}, readinessProbe = {} } = container;
    const pod = start(0, '127.77.1.1');
    await becomes(pod, startupProbe, 'SERVING');
    // Longer than the longest election timeout, so that elections fail meanwhile.
    const until = performance.now() + 3000;
    let asked = 0;
    while (performance.now() < until) {
      expect(await probe(pod, livenessProbe)).toBe('SERVING');
      expect(await probe(pod, readinessProbe)).toBe('NOT_SERVING');
      asked += 1;
    }
    expect(asked).toBeGreaterThan(10);
    expect(await endPod(pod, 'SIGTERM')).toBe(0);
  });
});

('missing' in kubectl || !ownHosts ? describe.skip : describe)('The pods of a StatefulSet', () => {
  it('find each other by their names in DNS, and each is ready exactly while there is a quorum', async () => {
    render('production');
    const hosts = [0, 1, 2].map((ordinal) => `127.77.2.${String(ordinal + 1)}`);
    const names = hosts.map((_, ordinal) => `${podOf(set, ordinal, namespace).name}.quorate-peer.${namespace}.svc`);
    const hostsFile = join(directory, 'hosts');
    writeFileSync(hostsFile, hosts.map((host, at) => `${host} ${names[at] ?? ''}\n`).join(''));
    const [first, second, third] = hosts.map((host, ordinal) => start(ordinal, host, hostsFile));
    if (first === undefined || second === undefined || third === undefined) throw new Error('three pods should run');
    for (const pod of [first, second, third]) await becomes(pod, container.readinessProbe, 'SERVING');

    const writer = new QuorateClient({ endpoints: [`${first.host}:2379`] });
    const reader = new QuorateClient({ endpoints: [`${third.host}:2379`] });
    try {
      await writer.put('where', 'everywhere');
      expect((await reader.get('where')).kv?.value).toBe('everywhere');
      const { members } = await reader.cluster.members();
      expect(members.map(({ clientAddress }) => clientAddress)).toEqual(names.map((name) => `${name}:2379`));
    } finally {
      writer.close();
      reader.close();
    }

    expect(await endPod(first, 'SIGTERM')).toBe(0);
    await endPod(second, 'SIGKILL');
    await becomes(third, container.readinessProbe, 'NOT_SERVING');
    await becomes(third, container.livenessProbe, 'SERVING');
    expect(await endPod(third, 'SIGTERM')).toBe(0);
  });
});
