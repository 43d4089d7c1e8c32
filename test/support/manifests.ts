/** The Kubernetes manifests as `kubectl kustomize` renders them, and what Kubernetes makes of them. */
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { IStatefulSet } from 'kubernetes-models/apps/v1';
import type { INetworkPolicy } from 'kubernetes-models/networking.k8s.io/v1';
import type { IPodDisruptionBudget } from 'kubernetes-models/policy/v1';
import type { IContainer, IService, IServiceAccount } from 'kubernetes-models/v1';
import { parseAllDocuments } from 'yaml';

const root = join(__dirname, '../..');

/** What all objects have. */
export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly labels?: Readonly<Record<string, string>> };
}

/** The kinds of objects that k8s/ may hold. */
interface Kinds {
  readonly NetworkPolicy: INetworkPolicy;
  readonly PodDisruptionBudget: IPodDisruptionBudget;
  readonly Service: IService;
  readonly ServiceAccount: IServiceAccount;
  readonly StatefulSet: IStatefulSet;
}

/** A kubectl to render with, or why there is none. In CI the lack of one is an error. */
export function findKubectl(): { readonly path: string } | { readonly missing: string } {
  const { status, stdout, stderr } = spawnSync(join(root, 'scripts/ensure-kubectl.sh'), { encoding: 'utf8' });
  if (status === 0) return { path: stdout.trim() };
  if ((process.env['CI'] ?? '') !== '') throw new Error(stderr);
  return { missing: stderr.trim() };
}

/** All objects of an overlay. */
export class Manifests {
  readonly all: readonly Manifest[];

  private constructor(all: readonly Manifest[]) {
    this.all = all;
  }

  static render(kubectl: string, overlay: string): Manifests {
    const yaml = execFileSync(kubectl, ['kustomize', join(root, 'k8s/overlays', overlay)], { encoding: 'utf8' });
    return new Manifests(parseAllDocuments(yaml).map((document) => document.toJS() as Manifest));
  }

  /** The objects of a kind. */
  of<K extends keyof Kinds>(kind: K): (Manifest & Kinds[K])[] {
    return this.all.filter((object) => object.kind === kind) as (Manifest & Kinds[K])[];
  }

  /** The one object of a kind, or the one with this name. */
  one<K extends keyof Kinds>(kind: K, name?: string): Manifest & Kinds[K] {
    const found = this.of(kind).filter((object) => name === undefined || object.metadata.name === name);
    const [first] = found;
    if (first === undefined || found.length > 1) throw new Error(`${String(found.length)} of ${kind} ${name ?? ''}`);
    return first;
  }
}

/** A StatefulSet's only container. */
export function containerOf(set: IStatefulSet): IContainer {
  const [container, ...more] = set.spec?.template.spec?.containers ?? [];
  if (container === undefined || more.length > 0) throw new Error('the pod should have one container');
  return container;
}

/** One pod as the kubelet starts it. */
export interface Pod {
  readonly name: string;
  readonly args: readonly string[];
  /** The image's variables and the container's. */
  readonly env: Readonly<Record<string, string>>;
}

/** The pod of an ordinal, its downward API fields filled in and its `$(VARIABLES)` expanded. */
export function podOf(set: Manifest & IStatefulSet, ordinal: number, namespace: string): Pod {
  const name = `${set.metadata.name}-${String(ordinal)}`;
  const fields: Record<string, string> = { 'metadata.name': name, 'metadata.namespace': namespace };
  const { args = [], env = [] } = containerOf(set);
  const own: Record<string, string> = {};
  for (const variable of env) {
    const path = variable.valueFrom?.fieldRef?.fieldPath;
    const value = path === undefined ? variable.value : fields[path];
    if (value === undefined) throw new Error(`the test cannot tell the value of ${variable.name}`);
    own[variable.name] = value;
  }
  return { name, args: args.map((argument) => expand(argument, own)), env: { ...imageConfig().env, ...own } };
}

/** `$(NAME)` becomes the variable's value, stays when there is none; `$$` is a dollar sign. */
function expand(text: string, env: Readonly<Record<string, string>>): string {
  return text.replace(/\$\$|\$\(([A-Za-z_][A-Za-z0-9_.-]*)\)/g, (found, name: string | undefined) =>
    name === undefined ? '$' : (env[name] ?? found),
  );
}

/** What the Dockerfile's last stage sets. */
export interface ImageConfig {
  readonly env: Readonly<Record<string, string>>;
  readonly user: string;
  readonly volume: string;
  readonly ports: readonly number[];
  readonly command: readonly string[];
}

export function imageConfig(): ImageConfig {
  const dockerfile = readFileSync(join(root, 'Dockerfile'), 'utf8')
    .replaceAll(/^#.*\n/gm, '')
    .replaceAll('\\\n', ' ');
  const lastStage = dockerfile.slice(dockerfile.lastIndexOf('\nFROM ')).split('\n');
  const values = (keyword: string) =>
    lastStage.filter((line) => line.startsWith(`${keyword} `)).map((line) => line.slice(keyword.length + 1).trim());
  const pairs = values('ENV').flatMap((line) => line.split(/\s+/).map((pair) => pair.split('=')));
  return {
    env: Object.fromEntries(pairs.map(([name = '', value = '']) => [name, value])),
    user: values('USER').join(),
    volume: values('VOLUME').join(),
    ports: values('EXPOSE').flatMap((line) => line.split(/\s+/).map(Number)),
    command: JSON.parse(values('CMD').join()) as string[],
  };
}
