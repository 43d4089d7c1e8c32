/** Programs from the world of etcd that nobody here wrote, and a member of etcd to compare with. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { credentials, Metadata } from '@grpc/grpc-js';
import { KVClient, RangeRequest } from '../../src/gen/etcd/etcdserverpb/kv';
import { MaintenanceClient } from '../../src/gen/etcd/etcdserverpb/maintenance';
import { freePorts } from './free-ports';
import { eventually } from './process-cluster';

const root = join(__dirname, '../..');

/** The path of a program, or why there is none. */
export type Foreign = { readonly path: string } | { readonly missing: string };

/**
 * Finds a program, or installs it. In CI the lack of one is an error; elsewhere tests are left out with a loud line.
 *
 * @param tests what is left out without it, for that line
 */
export function findForeign(what: 'server' | 'client' | 'python' | 'node', tests: string): Foreign {
  const { status, stdout, stderr } = spawnSync(join(root, 'scripts/ensure-etcd.sh'), [what], { encoding: 'utf8' });
  if (status === 0) return { path: stdout.trim() };
  if ((process.env['CI'] ?? '') !== '') throw new Error(stderr);
  process.stderr.write(`LEFT OUT, ${tests}: ${stderr.trim()}\n`);
  return { missing: stderr.trim() };
}

/** Where a member's disk is memory, if the machine has that: what is compared is not durability. */
export const fastDirectory = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();

/** Where a member of etcd listens. */
export interface Seat {
  readonly name: string;
  /** An address. */
  readonly client: string;
  /** A URL. */
  readonly peer: string;
}

/** On free ports. */
export async function seatsFor(members: number): Promise<readonly Seat[]> {
  const ports = await freePorts(2 * members);
  return Array.from({ length: members }, (_, at) => ({
    name: `m${String(at + 1)}`,
    client: `127.0.0.1:${String(ports[2 * at])}`,
    peer: `http://127.0.0.1:${String(ports[2 * at + 1])}`,
  }));
}

/** Running members of etcd: one cluster of one process each. */
export class EtcdCluster {
  /** Where the members listen for clients. */
  readonly addresses: readonly string[];
  readonly #directory: string;
  readonly #program: string;
  readonly #seats: readonly Seat[];
  readonly #processes: ChildProcess[];

  private constructor(program: string, seats: readonly Seat[]) {
    this.addresses = seats.map(({ client }) => client);
    this.#program = program;
    this.#seats = seats;
    this.#directory = mkdtempSync(join(fastDirectory, 'quorate-etcd-'));
    this.#processes = seats.map((seat) => this.#start(seat, seats, 'new'));
  }

  get address(): string {
    return this.addresses[0] ?? '';
  }

  /** Starts the members and waits until each answers. */
  static async start(program: string, members = 1): Promise<EtcdCluster> {
    const cluster = new EtcdCluster(program, await seatsFor(members));
    await Promise.all(cluster.addresses.map((address) => answering(address))).catch(async (error: unknown) => {
      await cluster.stop();
      throw error;
    });
    return cluster;
  }

  /** Starts one more, which was added before. */
  join(seat: Seat): void {
    this.#processes.push(this.#start(seat, [...this.#seats, seat], 'existing'));
  }

  #start({ name, client, peer }: Seat, all: readonly Seat[], state: 'new' | 'existing'): ChildProcess {
    const initial = all.map((seat) => `${seat.name}=${seat.peer}`).join(',');
    return startMember(this.#program, [
      ...['--name', name, '--data-dir', join(this.#directory, name), '--logger', 'zap', '--log-level', 'error'],
      ...['--listen-client-urls', `http://${client}`, '--advertise-client-urls', `http://${client}`],
      ...['--listen-peer-urls', peer, '--initial-advertise-peer-urls', peer],
      ...['--initial-cluster', initial, '--initial-cluster-state', state],
    ]);
  }

  /** Kills the process of the member that leads. */
  async killLeader(): Promise<void> {
    const at = await eventually(20_000, 'a leader of etcd', () => leaderAmong(this.addresses));
    const leader = this.#processes[at];
    if (leader !== undefined) await kill(leader);
  }

  async stop(): Promise<void> {
    await Promise.all(this.#processes.map((child) => kill(child)));
    rmSync(this.#directory, { recursive: true, force: true });
  }
}

/** Starts a member that says why if it fails; one that was removed ends well. */
function startMember(program: string, args: readonly string[]): ChildProcess {
  const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  let words = '';
  child.stderr.on('data', (text: Buffer) => (words = `${words}${text.toString()}`.slice(0, 1000)));
  child.once('exit', (code) => {
    if (code !== null && code !== 0) process.stderr.write(`etcd ended by itself: ${words}\n`);
  });
  return child;
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await ended;
}

/** The position of the member that says of itself that it leads. */
async function leaderAmong(addresses: readonly string[]): Promise<number | undefined> {
  const leads = await Promise.all(addresses.map((address) => isLeader(address)));
  return leads.includes(true) ? leads.indexOf(true) : undefined;
}

function isLeader(address: string): Promise<boolean> {
  const client = new MaintenanceClient(address, credentials.createInsecure());
  return new Promise<boolean>((resolve) => {
    const options = { deadline: Date.now() + 1000 };
    client.status({}, new Metadata(), options, (error, reply) =>
      resolve(error === null && reply.leader === reply.header?.memberId),
    );
  }).finally(() => client.close());
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
