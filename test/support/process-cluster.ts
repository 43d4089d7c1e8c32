/** A cluster of real processes on real disks, for tests that kill, pause and restart them. */
import { spawn, type ChildProcess } from 'node:child_process';
import { createWriteStream, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type ClientTlsOptions, QuorateClient, type KeyValue, type MemberStatus } from '../../src/client';
import { freePorts } from './free-ports';

const program = join(__dirname, '../../dist/main.js');

export interface ProcessClusterOptions {
  readonly members?: number;
  /** More arguments of `serve` for every member. */
  readonly args?: readonly string[];
  /** And for one of them. */
  readonly argsOf?: (name: string) => readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** What clients of this cluster need. */
  readonly tls?: ClientTlsOptions;
  /** Where a member keeps its data; by default below a temporary directory. */
  readonly dataDirOf?: (name: string) => string;
  /** Where `from` reaches `to`, if not directly. */
  readonly peerAddressOf?: (from: string, to: string) => string;
}

/** One member: at most one process at a time. */
export interface ProcessMember {
  readonly name: string;
  readonly clientAddress: string;
  readonly peerAddress: string;
  process: ChildProcess | undefined;
  /** Joins through these members, instead of beginning with the initial ones. */
  readonly joinThrough?: readonly ProcessMember[];
}

export class ProcessCluster {
  readonly directory: string;
  readonly members: ProcessMember[];
  readonly #options: ProcessClusterOptions;
  readonly #clients: QuorateClient[] = [];

  protected constructor(members: readonly ProcessMember[], options: ProcessClusterOptions) {
    this.directory = mkdtempSync(join(tmpdir(), 'quorate-test-'));
    this.members = [...members];
    this.#options = options;
  }

  /** Starts all members and waits for a leader. */
  static async start(options: ProcessClusterOptions = {}): Promise<ProcessCluster> {
    const cluster = new ProcessCluster(await newMembers(options.members ?? 3), options);
    return cluster.#orStopped(cluster.startAll());
  }

  /** Starts members from what their directories say, and waits for a leader. */
  static async startFrom(members: readonly ProcessMember[], options: ProcessClusterOptions): Promise<ProcessCluster> {
    const cluster = new ProcessCluster(members, options);
    for (const member of members) cluster.startAlone(member);
    return cluster.#orStopped(cluster.leader());
  }

  /** This cluster when `started` is done; if it fails, nobody else could end its processes. */
  async #orStopped(started: Promise<unknown>): Promise<this> {
    try {
      await started;
      return this;
    } catch (error) {
      await this.stop();
      throw error;
    }
  }

  /**
   * Starts all members, and waits for a leader and until all of them serve and know of it: two elect one before the
   * third listens, and the third answers before the leader's first heartbeat reaches it.
   */
  async startAll(): Promise<void> {
    for (const member of this.members) this.startMember(member);
    await this.leader();
    await this.#eventually(20_000, 'all members serve and know the leader', this.members, async () => {
      const statuses = await Promise.all(this.members.map((member) => this.status(member)));
      return statuses.every((status) => status?.leaderId !== undefined) ? true : undefined;
    });
  }

  startMember(member: ProcessMember, dataDir = this.dataDirOf(member)): void {
    this.#start(member, dataDir, this.#beginning(member));
  }

  /** Starts a member from what its directory says, with no word of the others. */
  startAlone(member: ProcessMember, ...flags: readonly string[]): void {
    this.#start(member, this.dataDirOf(member), flags);
  }

  #start(member: ProcessMember, dataDir: string, beginning: readonly string[]): void {
    if (member.process !== undefined) throw new Error(`${member.name} runs already`);
    mkdirSync(dataDir, { recursive: true });
    const child = spawn(
      process.execPath,
      [
        ...[program, 'serve', '--name', member.name, '--data-dir', dataDir, ...beginning],
        ...['--client-listen', member.clientAddress, '--peer-listen', member.peerAddress],
        ...(this.#options.args ?? []),
        ...(this.#options.argsOf?.(member.name) ?? []),
      ],
      { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...this.#options.env } },
    );
    const log = createWriteStream(join(this.directory, `${member.name}.log`), { flags: 'a' });
    child.stdout.pipe(log, { end: false });
    child.stderr.pipe(log, { end: false });
    child.once('exit', () => {
      if (member.process === child) member.process = undefined;
      log.end();
    });
    member.process = child;
  }

  /** How a member begins at its first start. */
  #beginning(member: ProcessMember): readonly string[] {
    if (member.joinThrough !== undefined) {
      return ['--join', member.joinThrough.map(({ clientAddress }) => clientAddress).join(',')];
    }
    const { peerAddressOf } = this.#options;
    const initial = this.members
      .filter(({ joinThrough }) => joinThrough === undefined)
      .map(({ name, peerAddress, clientAddress }) => {
        const peer = name === member.name ? peerAddress : (peerAddressOf?.(member.name, name) ?? peerAddress);
        return `${name}=${peer}/${clientAddress}`;
      })
      .join(',');
    return ['--initial-members', initial];
  }

  /** A member that is not started yet, and joins through those that run. It has to be added to the cluster first. */
  async newcomer(name: string): Promise<ProcessMember> {
    const [made] = await newMembers(1);
    if (made === undefined) throw new Error('there are ports for one more');
    const member = { ...made, name, joinThrough: this.members.filter((it) => it.process !== undefined) };
    this.members.push(member);
    return member;
  }

  dataDirOf(member: ProcessMember): string {
    return this.#options.dataDirOf?.(member.name) ?? join(this.directory, member.name);
  }

  /** Sends a signal that ends the process, and waits until it is gone. Returns its exit code. */
  async end(member: ProcessMember, signal: 'SIGKILL' | 'SIGTERM'): Promise<number | null> {
    const child = member.process;
    if (child === undefined) return null;
    const ended = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)));
    child.kill(signal);
    return ended;
  }

  signal(member: ProcessMember, signal: 'SIGSTOP' | 'SIGCONT'): void {
    member.process?.kill(signal);
  }

  /** A client of these members (all, by default), closed with the cluster. */
  client(members: readonly ProcessMember[] = this.members, timeoutMs = 5000, maxAttempts = 10): QuorateClient {
    const endpoints = members.map(({ clientAddress }) => clientAddress);
    const client = new QuorateClient({ endpoints, timeoutMs, maxAttempts, tls: this.#options.tls ?? false });
    this.#clients.push(client);
    return client;
  }

  /** What a member says of itself; `undefined` if it does not answer within half a second. */
  async status(member: ProcessMember): Promise<MemberStatus | undefined> {
    const asked = { endpoints: [member.clientAddress], tls: this.#options.tls ?? false };
    const client = new QuorateClient({ ...asked, timeoutMs: 500, maxAttempts: 1 });
    try {
      return await client.cluster.status();
    } catch {
      return undefined;
    } finally {
      client.close();
    }
  }

  /** Waits for a leader in contact with a quorum, among `candidates`. */
  async leader(candidates: readonly ProcessMember[] = this.members, withinMs = 20_000): Promise<ProcessMember> {
    const look = async (): Promise<ProcessMember | undefined> => {
      for (const member of candidates) {
        const status = await this.status(member);
        if (status?.role === 'leader' && status.hasQuorum) return member;
      }
      return undefined;
    };
    return this.#eventually(withinMs, 'a leader', candidates, look);
  }

  /** What fails shows the end of the members' logs. */
  #eventually<T>(
    withinMs: number,
    what: string,
    members: readonly ProcessMember[],
    ask: () => Promise<T | undefined>,
  ): Promise<T> {
    return eventually(withinMs, what, ask).catch((error: unknown) => {
      throw new Error(`${String(error)}\n${members.map((member) => this.#lastLines(member)).join('\n')}`);
    });
  }

  /** The end of a member's log, for the message of a test that fails. */
  #lastLines({ name, process: child }: ProcessMember): string {
    const lines = readFileSync(join(this.directory, `${name}.log`), 'utf8')
      .trimEnd()
      .split('\n');
    return [`${name} ${child === undefined ? 'is down' : 'runs'}`, ...lines.slice(-12)].join('\n  ');
  }

  /** Waits until all members have applied the same index, and returns it. */
  async converged(withinMs = 30_000, members: readonly ProcessMember[] = this.members): Promise<number> {
    return this.#eventually(withinMs, 'equal applied indexes', members, async () => {
      const statuses = await Promise.all(members.map((member) => this.status(member)));
      const applied = new Set(statuses.map((status) => status?.appliedIndex));
      const last = new Set(statuses.map((status) => status?.lastLogIndex));
      const [index] = applied;
      return applied.size === 1 && last.size === 1 && index !== undefined && last.has(index) ? index : undefined;
    });
  }

  /** Every key of one member's own copy, with all its counters. */
  async contents(member: ProcessMember): Promise<readonly KeyValue[]> {
    const client = this.client([member], 20_000);
    const all: KeyValue[] = [];
    for await (const page of client.list({ pageSize: 1000, consistency: 'stale' })) all.push(...page.kvs);
    return all;
  }

  /** Kills what runs and removes the data. */
  async stop(): Promise<void> {
    for (const client of this.#clients) client.close();
    for (const member of this.members) this.signal(member, 'SIGCONT');
    await Promise.all(this.members.map((member) => this.end(member, 'SIGKILL')));
    rmSync(this.directory, { recursive: true, force: true });
  }
}

/** Members that do not run yet, on free ports. */
export async function newMembers(count: number): Promise<readonly ProcessMember[]> {
  const ports = await freePorts(2 * count);
  return Array.from({ length: count }, (_, at) => ({
    name: `m${String(at + 1)}`,
    clientAddress: `127.0.0.1:${String(ports[2 * at])}`,
    peerAddress: `127.0.0.1:${String(ports[2 * at + 1])}`,
    process: undefined,
  }));
}

/** Asks again and again until there is an answer. */
export async function eventually<T>(withinMs: number, what: string, ask: () => Promise<T | undefined>): Promise<T> {
  const until = performance.now() + withinMs;
  while (performance.now() < until) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    await sleep(25);
  }
  throw new Error(`${what}: not within ${String(withinMs)} ms`);
}
