/** Real drivers over the in-memory storage and transport, in virtual time: nothing sleeps, everything can be repeated. */
import { createHash } from 'node:crypto';
import { silentLogger } from '../../src/base/logger';
import { seededRng } from '../../src/base/rng';
import { encodeDirectory, type DirectoryEntry } from '../../src/node/member-directory';
import { Node } from '../../src/node/node';
import { defaultNodeOptions, type NodeOptions } from '../../src/node/options';
import { defaultRaftOptions, simpleConfiguration } from '../../src/raft';
import type { Entry, LogPosition, Snapshot, SnapshotOffer, SnapshotReceiver, StateMachine } from '../../src/raft';
import { MemoryDisk, openMemoryStorage, type MemoryStorage } from '../../src/storage/memory-storage';
import { MemoryNetwork, type Packet } from '../../src/transport/memory-transport';
import { VirtualTime } from './virtual-time';

/** Remembers the commands it applied, as text; a result is the number of commands so far. Survives restarts. */
export class ListMachine implements StateMachine<number> {
  readonly commands: string[] = [];
  readonly #received = new Map<number, Buffer>();
  appliedIndex = 0;
  appliedTerm = 0;

  apply(entries: readonly Entry[]): readonly (number | undefined)[] {
    return entries.map((entry) => {
      if (entry.index !== this.appliedIndex + 1) throw new Error('a gap in what is applied');
      this.appliedIndex = entry.index;
      this.appliedTerm = entry.term;
      return entry.kind === 'command' ? this.commands.push(Buffer.from(entry.payload).toString()) : undefined;
    });
  }

  checkpoint(): Promise<number> {
    return Promise.resolve(this.appliedIndex);
  }

  takeSnapshot(): Promise<Snapshot> {
    const content = Buffer.from(JSON.stringify(this.commands));
    return Promise.resolve({
      last: { index: this.appliedIndex, term: this.appliedTerm },
      sizeBytes: content.length,
      sha256: createHash('sha256').update(content).digest('hex'),
      read: (offset, maxBytes) => Promise.resolve(content.subarray(offset, offset + maxBytes)),
      release: () => Promise.resolve(),
    });
  }

  receiveSnapshot({ last }: SnapshotOffer): Promise<SnapshotReceiver> {
    const parts: Uint8Array[] = [];
    return Promise.resolve({
      write: (bytes) => Promise.resolve(void parts.push(Buffer.from(bytes))),
      finish: () => Promise.resolve(void this.#received.set(last.index, Buffer.concat(parts))),
      discard: () => Promise.resolve(),
    });
  }

  install(last: LogPosition): Promise<void> {
    const commands = JSON.parse(String(this.#received.get(last.index))) as string[];
    this.commands.splice(0, this.commands.length, ...commands);
    this.appliedIndex = last.index;
    this.appliedTerm = last.term;
    return Promise.resolve();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

export interface ClusterMember {
  readonly id: bigint;
  readonly disk: MemoryDisk;
  readonly machine: ListMachine;
  readonly fatal: Error[];
  /** Joins a cluster that runs already: knows nobody at first. */
  readonly isJoining: boolean;
  /** How often it was told that it was removed. */
  removals: number;
  storage: MemoryStorage | undefined;
  node: Node<number> | undefined;
}

function newMember(id: bigint, isJoining: boolean): ClusterMember {
  const empty = { disk: new MemoryDisk(), machine: new ListMachine(), fatal: [], removals: 0 };
  return { id, isJoining, ...empty, storage: undefined, node: undefined };
}

/** How the directory lists a member of these tests. */
export function directoryEntry(id: bigint, promoteWhenReady = false): DirectoryEntry {
  return {
    id,
    name: `m${id}`,
    peerAddress: `peer-${id}:1`,
    clientAddress: `client-${id}:1`,
    promoteWhenReady,
    awaitsStart: false,
  };
}

/** A member that is up, and none of these. */
export function otherMember(cluster: NodeCluster, ...not: readonly ClusterMember[]): ClusterMember {
  const found = cluster.members.find(({ id, node }) => node !== undefined && !not.some((it) => it.id === id));
  if (found === undefined) throw new Error('there is another one');
  return found;
}

/** The node of a member that is up. */
export function runningNode({ node }: ClusterMember): Node<number> {
  if (node === undefined) throw new Error('the member is up');
  return node;
}

export class NodeCluster {
  readonly time = new VirtualTime();
  readonly network = new MemoryNetwork();
  readonly members: ClusterMember[];
  /** Decides which packets get through; all of them by default. */
  passes: (packet: Packet) => boolean = () => true;
  /** While it holds a member's id, that member's writes wait. */
  readonly stalledDisks = new Set<bigint>();
  readonly #stalledWrites: { readonly id: bigint; readonly complete: () => void }[] = [];
  readonly #nodeOptions: NodeOptions;
  #seed: number;

  private constructor(count: number, nodeOptions: Partial<NodeOptions>) {
    this.#nodeOptions = { ...defaultNodeOptions, ...nodeOptions };
    this.#seed = count;
    this.members = Array.from({ length: count }, (_, at) => newMember(BigInt(at + 1), false));
  }

  static async start(count: number, nodeOptions: Partial<NodeOptions> = {}): Promise<NodeCluster> {
    const cluster = new NodeCluster(count, nodeOptions);
    for (const member of cluster.members) await cluster.startMember(member);
    return cluster;
  }

  /** Starts a member that the leader will hear of, or has heard of already. */
  async join(id: bigint): Promise<ClusterMember> {
    const member = newMember(id, true);
    this.members.push(member);
    await this.startMember(member);
    return member;
  }

  async startMember(member: ClusterMember): Promise<void> {
    const first = this.members.filter(({ isJoining }) => !isJoining).map(({ id }) => directoryEntry(id));
    const known = member.isJoining ? [] : first;
    const storage = openMemoryStorage({
      disk: member.disk,
      identity: { clusterId: 1n, memberId: member.id },
      initialConfiguration: {
        configuration: simpleConfiguration(known.map(({ id }) => id)),
        context: encodeDirectory(known),
      },
      maxTailBytes: 1024,
      schedule: (complete) => {
        if (this.stalledDisks.has(member.id)) this.#stalledWrites.push({ id: member.id, complete });
        else complete();
      },
    });
    member.storage = storage;
    member.node = new Node({
      id: member.id,
      raftOptions: defaultRaftOptions,
      nodeOptions: this.#nodeOptions,
      storage,
      transport: this.network.transport(member.id, storage.loaded.incarnation),
      stateMachine: member.machine,
      groups: undefined,
      scheduler: this.time,
      rng: seededRng(this.#seed++),
      logger: silentLogger,
      checkInvariants: true,
      onFatal: (error) => member.fatal.push(error),
      onRemoved: () => member.removals++,
    });
    await member.node.start();
  }

  /** The process ends without a word: what was not durable is gone. */
  async crash(member: ClusterMember): Promise<void> {
    const node = member.node;
    member.node = undefined;
    member.storage?.crash();
    await node?.stop();
  }

  /** The disk works again: everything that waited is written. */
  resumeDisk(id: bigint): void {
    this.stalledDisks.delete(id);
    for (const write of this.#stalledWrites.splice(0)) {
      if (write.id === id) write.complete();
      else this.#stalledWrites.push(write);
    }
  }

  /** Lets everything happen that happens without time passing. */
  async settle(): Promise<void> {
    for (let idle = 0, rounds = 0; idle < 2; rounds++) {
      if (rounds > 10_000) throw new Error('the cluster does not come to rest');
      const delivered = this.#deliver();
      await new Promise((resolve) => setImmediate(resolve));
      const ended = this.time.endTurn();
      idle = delivered || ended ? 0 : idle + 1;
    }
  }

  async advance(ms: number): Promise<void> {
    const until = this.time.now() + ms;
    await this.settle();
    while (this.time.runNextTimer(until)) await this.settle();
    await this.settle();
  }

  /** Lets time pass until there is a leader with a quorum. */
  async leader(): Promise<ClusterMember & { readonly node: Node<number> }> {
    for (let waited = 0; waited < 20_000; waited += 50) {
      for (const member of this.members) {
        const { node } = member;
        const status = node?.status();
        if (node !== undefined && status?.role === 'leader' && status.hasQuorum) return { ...member, node };
      }
      await this.advance(50);
    }
    throw new Error('no leader within 20 s');
  }

  #deliver(): boolean {
    const { packets } = this.network;
    const waiting = packets.length;
    for (let left = waiting; left > 0; left--) {
      const [packet] = packets;
      if (packet !== undefined && this.passes(packet)) this.network.deliver();
      else this.network.drop();
    }
    return waiting > 0;
  }
}
