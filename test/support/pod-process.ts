/** Runs pods of the rendered manifests as processes of this machine, and probes them as the kubelet does. */
import { Client, credentials, type ServiceDefinition } from '@grpc/grpc-js';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { service as healthService } from 'grpc-health-check';
import type { IProbe } from 'kubernetes-models/v1';
import { imageConfig, type Pod } from './manifests';

const program = join(__dirname, '../../dist/main.js');

/** What a cluster would give to a pod and this machine cannot. */
export interface PodPlace {
  /** A loopback address of its own, in the place of "everywhere". */
  readonly host: string;
  /** A folder of its own, in the place of the volume. */
  readonly dataDir: string;
  /** In the place of the cluster's DNS: a file like /etc/hosts, seen by this process alone. */
  readonly hostsFile?: string;
}

/** A pod at work. */
export interface RunningPod {
  readonly process: ChildProcess;
  readonly host: string;
  output(): string;
}

/** What runs a command with another /etc/hosts; `undefined` where the system does not allow it. */
const ownHosts = ['--mount', '--propagation', 'private', '--', 'sh', '-c', 'mount --bind "$0" /etc/hosts && exec "$@"'];
const unshareArgs = process.getuid?.() === 0 ? ownHosts : ['--map-root-user', ...ownHosts];

/** Whether a process can be given an /etc/hosts of its own here. */
export function canGiveOwnHosts(): boolean {
  return spawnSync('unshare', [...unshareArgs, '/etc/hosts', 'true']).status === 0;
}

/** Starts a pod with exactly its arguments and variables, but for its place. */
export function startPod(pod: Pod, { host, dataDir, hostsFile }: PodPlace): RunningPod {
  const { volume } = imageConfig();
  mkdirSync(dataDir, { recursive: true });
  const args = pod.args.map((argument) => {
    if (argument.endsWith(`=${volume}`)) return argument.replace(volume, dataDir);
    return argument.replace(/^(--(?:client|peer)-listen=)0\.0\.0\.0:/, `$1${host}:`);
  });
  const env = { ...pod.env, SQLITE_TMPDIR: dataDir, PATH: process.env['PATH'] ?? '' };
  const command = [process.execPath, program, ...args];
  const [file = '', ...rest] = hostsFile === undefined ? command : ['unshare', ...unshareArgs, hostsFile, ...command];
  const child = spawn(file, rest, { env, cwd: dataDir, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  return { process: child, host, output: () => output };
}

/** Sends a signal and tells how the process ended. */
export async function endPod({ process: child }: RunningPod, signal: 'SIGTERM' | 'SIGKILL'): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
  const exit = once(child, 'exit');
  child.kill(signal);
  await exit;
  return child.exitCode;
}

const { Check: check } = healthService as unknown as ServiceDefinition;

/** Asks once what a gRPC probe asks: `SERVING`, another status, or why there was no answer in time. */
export function probe(pod: RunningPod, { grpc, timeoutSeconds = 1 }: IProbe): Promise<string> {
  if (check === undefined || grpc === undefined) throw new Error('a gRPC probe asks for Check');
  const client = new Client(`${pod.host}:${String(grpc.port)}`, credentials.createInsecure());
  return new Promise<string>((resolve) => {
    client.makeUnaryRequest<unknown, { readonly status: string }>(
      check.path,
      check.requestSerialize,
      check.responseDeserialize as (bytes: Buffer) => { readonly status: string },
      { service: grpc.service ?? '' },
      { deadline: Date.now() + 1000 * timeoutSeconds },
      (error, answer) => {
        resolve(error === null ? (answer?.status ?? '') : error.message);
      },
    );
  }).finally(() => {
    client.close();
  });
}
