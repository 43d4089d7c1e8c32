/** Programs from the world of etcd that nobody here wrote, and a member of etcd to compare with. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { credentials, Metadata } from '@grpc/grpc-js';
import { KVClient, RangeRequest } from '../../src/gen/etcd/etcdserverpb/kv';
import { eventually, freePorts } from './process-cluster';

const root = join(__dirname, '../..');

/** The path of a program, or why there is none. */
export type Foreign = { readonly path: string } | { readonly missing: string };

/**
 * Finds a program, or installs it. In CI the lack of one is an error; elsewhere tests are left out with a loud line.
 *
 * @param tests what is left out without it, for that line
 */
export function findForeign(what: 'server' | 'client' | 'python', tests: string): Foreign {
  const { status, stdout, stderr } = spawnSync(join(root, 'scripts/ensure-etcd.sh'), [what], { encoding: 'utf8' });
  if (status === 0) return { path: stdout.trim() };
  if ((process.env['CI'] ?? '') !== '') throw new Error(stderr);
  process.stderr.write(`LEFT OUT, ${tests}: ${stderr.trim()}\n`);
  return { missing: stderr.trim() };
}

/** Where a member's disk is memory, if the machine has that: what is compared is not durability. */
export const fastDirectory = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();

/** One running member of etcd, alone in its cluster. */
export class EtcdProcess {
  readonly address: string;
  readonly #directory: string;
  readonly #process: ChildProcess;
  #lastWords = '';

  private constructor(address: string, directory: string, child: ChildProcess) {
    this.address = address;
    this.#directory = directory;
    this.#process = child;
    child.stderr?.on(
      'data',
      (text: Buffer) => (this.#lastWords = `${this.#lastWords}${text.toString()}`.slice(0, 1000)),
    );
    child.once('exit', (code) => {
      if (code !== null) process.stderr.write(`etcd ended by itself: ${this.#lastWords}\n`);
    });
  }

  static async start(program: string, ...args: readonly string[]): Promise<EtcdProcess> {
    const [client, peer] = (await freePorts(2)).map((port) => `127.0.0.1:${String(port)}`);
    if (client === undefined || peer === undefined) throw new Error('there are two ports');
    const directory = mkdtempSync(join(fastDirectory, 'quorate-etcd-'));
    const child = spawn(
      program,
      [
        ...['--name', 'm1', '--data-dir', directory, '--logger', 'zap', '--log-level', 'error'],
        ...['--listen-client-urls', `http://${client}`, '--advertise-client-urls', `http://${client}`],
        ...['--listen-peer-urls', `http://${peer}`, '--initial-advertise-peer-urls', `http://${peer}`],
        ...['--initial-cluster', `m1=http://${peer}`, ...args],
      ],
      { stdio: ['ignore', 'ignore', 'pipe'] },
    );
    const etcd = new EtcdProcess(client, directory, child);
    await answering(client).catch(async (error: unknown) => {
      await etcd.stop();
      throw error;
    });
    return etcd;
  }

  async stop(): Promise<void> {
    if (this.#process.exitCode === null && this.#process.signalCode === null) {
      const ended = new Promise((resolve) => this.#process.once('exit', resolve));
      this.#process.kill('SIGKILL');
      await ended;
    }
    rmSync(this.#directory, { recursive: true, force: true });
  }
}

/** Waits until a linearizable read is answered. */
async function answering(address: string): Promise<void> {
  const client = new KVClient(address, credentials.createInsecure());
  const request = { ...RangeRequest.decode(new Uint8Array(0)), key: Buffer.from('x') };
  const read = () =>
    new Promise<true | undefined>((resolve) => {
      const options = { deadline: Date.now() + 1000 };
      client.range(request, new Metadata(), options, (error) => resolve(error === null ? true : undefined));
    });
  await eventually(20_000, `an answer of ${address}`, read).finally(() => client.close());
}
