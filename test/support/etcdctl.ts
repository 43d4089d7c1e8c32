/** Runs Debian's etcdctl against a cluster, and takes out of what it prints what differs between any two clusters. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { eventually } from './process-cluster';

/** How a command ended; its output without what no two clusters share. */
export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** How many lines a text has. */
export function linesOf(text: string): number {
  return text.split('\n').length - 1;
}

/** How a command tells an id. */
const given: readonly (readonly [string, RegExp])[] = [
  ['LEASE', /^lease ([0-9a-f]+) granted/],
  ['MEMBER', /^Member +([0-9a-f]+) added/],
];

/** No command may take longer, ms. */
const patienceMs = 30_000;

/** etcdctl for one cluster. */
export class Etcdctl {
  readonly endpoints: readonly string[];
  readonly #program: string;
  readonly #running: ChildProcess[] = [];
  /** What a command line may refer to: ids that the cluster gave. */
  readonly #given = new Map<string, string>();

  constructor(program: string, endpoints: readonly string[]) {
    this.#program = program;
    this.endpoints = endpoints;
  }

  /** What command lines call `$NAME` from now on. */
  give(name: string, value: string): void {
    this.#given.set(name, value);
  }

  given(name: string): string | undefined {
    return this.#given.get(name);
  }

  /** Runs a command to its end. */
  async run(args: readonly string[], input = ''): Promise<Ended> {
    const background = this.start(args, input);
    const ended = await background.ended();
    for (const [name, pattern] of given) {
      const found = pattern.exec(background.printed)?.[1];
      if (found !== undefined) this.#given.set(name, found);
    }
    return ended;
  }

  /** Starts a command that goes on until it is told to stop. */
  start(args: readonly string[], input?: string): Background {
    const known = args.map((arg) => arg.replace(/\$([A-Z]+)/, (_, name: string) => this.#given.get(name) ?? name));
    const isNamed = args.some((arg) => arg.startsWith('--endpoints='));
    const endpoints = isNamed ? {} : { ETCDCTL_ENDPOINTS: this.endpoints.join(',') };
    const child = spawn(this.#program, known, {
      env: { ...process.env, ETCDCTL_API: '3', ...endpoints },
      stdio: ['pipe', 'pipe', 'pipe'],
      timeout: patienceMs,
    });
    this.#running.push(child);
    // A command that reads nothing may be gone before its input is written; what it said tells whether that was right.
    child.stdin.on('error', () => undefined);
    if (input !== undefined) child.stdin.end(input);
    return new Background(child);
  }

  /** Ends what still runs. */
  stop(): void {
    for (const child of this.#running) child.kill('SIGKILL');
  }
}

/** A command that runs. */
export class Background {
  readonly #child: ChildProcess;
  readonly #exit: Promise<unknown[]>;
  #stdout = '';
  #stderr = '';

  constructor(child: ChildProcess) {
    this.#child = child;
    this.#exit = once(child, 'close');
    child.stdout?.on('data', (text: Buffer) => (this.#stdout += text.toString('latin1')));
    child.stderr?.on('data', (text: Buffer) => (this.#stderr += text.toString('latin1')));
  }

  get printed(): string {
    return this.#stdout;
  }

  /** Waits until it has printed so many lines. */
  async lines(count: number): Promise<void> {
    await eventually(20_000, `${String(count)} lines`, () =>
      Promise.resolve(linesOf(this.#stdout) >= count ? true : undefined),
    ).catch((error: unknown) => {
      throw new Error(`${String(error)}: ${this.#child.spawnargs.join(' ')} printed ${this.#stdout}${this.#stderr}`);
    });
  }

  /** As a person at a terminal stops it. */
  interrupt(): void {
    this.#child.kill('SIGINT');
  }

  async ended(): Promise<Ended> {
    const [code] = (await this.#exit) as [number | null];
    return { code, stdout: withoutNames(this.#stdout), stderr: withoutNames(this.#stderr) };
  }
}

/** What differs between any two clusters, or any two runs; the order matters. */
const names: readonly (readonly [RegExp, string])[] = [
  // Fields of headers, in JSON and as fields.
  [/"(cluster_id|member_id|raft_term|leader|ID|raftIndex|raftAppliedIndex|raftTerm)":-?\d+/g, '"$1":#'],
  [/"(ClusterID|MemberID|RaftTerm|Leader|RaftIndex|RaftAppliedIndex)" : \d+/g, '"$1" : #'],
  [/"(dbSize|dbSizeInUse)":\d+/g, '"$1":#'],
  [/"(DBSize|DBSizeInUse)" : \d+/g, '"$1" : #'],
  // etcd's is 3.4, and quorate speaks as 3.5.
  [/\b3\.[45]\.\d+\b/g, 'VERSION'],
  [/\d+(\.\d+)? [kM]?B\b/g, 'SIZE'],
  [/127\.0\.0\.1:\d+/g, 'ADDRESS'],
  // Ids of members, clusters and leases that the server draws.
  [/\b[0-9a-f]{14,16}\b/g, 'ID'],
  // Short ids are filled with blanks.
  [/(Member|cluster) +ID/g, '$1 ID'],
  [/took (= )?[\d.]+(µs|Âµs|ms|s)/g, 'took TIME'],
  // What is left of a lease.
  [/remaining\(\d+s\)/g, 'remaining(TIME)'],
  [/"ttl":\d+/g, '"ttl":#'],
  [/"(TTL)" : \d+/g, '"$1" : #'],
  [/"Lease" : [1-9]\d+/g, '"Lease" : #'],
  [/"took":("[^"]*"|[\d.]+)/g, '"took":#'],
  [/"id":\d+/g, '"id":#'],
  // Who leads, its term, how long its log is: entries that clients do not see differ.
  [/, (true|false), false, \d+, \d+, \d+,/g, ', LEADS, false, TERM, INDEX, INDEX,'],
  [/"ts":("[^"]*"|[\d.]+)/g, '"ts":#'],
  // etcdctl itself panics at some mistakes, and shows its memory.
  [/0x[0-9a-f]+\?/g, 'POINTER'],
  [/0x[0-9a-f]+/g, 'POINTER'],
  // Another code in 3.4 than in 3.5.
  [
    /code = \w+ desc = etcdserver: rpc not supported for learner/g,
    'code = CODE desc = etcdserver: rpc not supported for learner',
  ],
  [/client-[-0-9a-f]{36}/g, 'CLIENT'],
  [/[^\s"]*quorate-etcdctl-\w+\/\w+/g, 'FILE'],
];

function withoutNames(text: string): string {
  const shorter = names.reduce((rest, [pattern, name]) => rest.replaceAll(pattern, name), text);
  // Members in the order of their ids.
  return shorter.replace(/(?<=^ETCD_INITIAL_CLUSTER=").*(?="$)/m, (members) => members.split(',').sort().join(','));
}
