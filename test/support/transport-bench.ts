/** Members 1 to 3 on either transport, for the contract suites. */
import type { Incarnation } from '../../src/base/incarnation';
import type { MemberId } from '../../src/raft';
import { MemoryNetwork } from '../../src/transport/memory-transport';
import type { PeerAddress, Transport } from '../../src/transport/transport';
import type { TlsSource } from '../../src/base/tls';
import { TestAuthority } from './certificates';
import { freePort } from './free-ports';
import { identityOf, ReplaceableIdentity } from './tls';
import { appendEntries, grpcTransport, incarnationOf, Recorder } from './transport';

export interface BenchMember {
  readonly id: MemberId;
  readonly transport: Transport;
  readonly recorder: Recorder;
}

/** Makes members, which know nobody yet, and lets their messages flow. */
interface Network {
  /** Where a member listens when it is made next. */
  addressOf(id: MemberId): string;
  /** From now on a member listens elsewhere. */
  move(id: MemberId): Promise<void>;
  transport(id: MemberId, incarnation: Incarnation): Transport;
  /** Lets messages flow for a moment. */
  flow(): Promise<void>;
}

const benchIds = [1n, 2n, 3n];

const memoryChunkBytes = 64 * 1024;

function memoryNetwork(): Promise<Network> {
  const network = new MemoryNetwork({ snapshotChunkBytes: memoryChunkBytes });
  return Promise.resolve({
    addressOf: (id) => `member-${id}`,
    move: () => Promise.resolve(),
    transport: (id, incarnation) => network.transport(id, incarnation),
    flow: async () => {
      network.deliverAll();
      await new Promise((resolve) => setImmediate(resolve));
    },
  });
}

async function grpcNetwork(more: { readonly tls?: TlsSource } = {}): Promise<Network> {
  const ports = new Map<MemberId, number>();
  const addressOf = (id: MemberId): string => `127.0.0.1:${ports.get(id)}`;
  const move = async (id: MemberId): Promise<void> => void ports.set(id, await freePort());
  for (const id of benchIds) await move(id);
  return {
    addressOf,
    move,
    transport: (id, incarnation) => grpcTransport(id, addressOf(id), [], { ...more, incarnation }),
    flow: () => new Promise((resolve) => setTimeout(resolve, 5)),
  };
}

let authority: TestAuthority | undefined;

afterAll(() => {
  authority?.remove();
});

/** All members show the same certificate. */
function tlsNetwork(): Promise<Network> {
  authority ??= new TestAuthority();
  return grpcNetwork({ tls: new ReplaceableIdentity(identityOf(authority.issue('member'), authority)) });
}

/** Each implementation by its name. */
export const networks: [string, () => Promise<Network>][] = [
  ['memory', memoryNetwork],
  ['gRPC', () => grpcNetwork()],
  ['gRPC in TLS', tlsNetwork],
];

/** Starts, stops and connects members of one network. */
export class Bench {
  readonly network: Network;
  #running: BenchMember[] = [];

  constructor(network: Network) {
    this.network = network;
  }

  /** A member with these peers: all others, unless told. */
  async start(
    id: MemberId,
    peers: readonly MemberId[] = benchIds,
    more: { readonly incarnation?: Incarnation; readonly recorder?: Recorder } = {},
  ): Promise<BenchMember> {
    const { incarnation = incarnationOf(id), recorder = new Recorder() } = more;
    const transport = this.network.transport(id, incarnation);
    const member = { id, transport, recorder };
    transport.updatePeers(this.addresses(peers.filter((peer) => peer !== id)));
    this.#running.push(member);
    await transport.start(member.recorder);
    return member;
  }

  addresses(ids: readonly MemberId[]): PeerAddress[] {
    return ids.map((id) => ({ id, address: this.network.addressOf(id) }));
  }

  async stop(member: BenchMember): Promise<void> {
    this.#running = this.#running.filter((other) => other !== member);
    await member.transport.stop();
  }

  async stopAll(): Promise<void> {
    await Promise.all(this.#running.splice(0).map(({ transport }) => transport.stop()));
  }

  async flow(rounds = 5): Promise<void> {
    for (let round = 0; round < rounds; round++) await this.network.flow();
  }

  /** Lets messages flow until `condition` holds, and sends meanwhile if `send` is given. */
  async flowUntil(condition: () => boolean, send: () => void = () => undefined): Promise<void> {
    for (let round = 0; round < 2000; round++) {
      if (condition()) return;
      send();
      await this.network.flow();
    }
    throw new Error('the condition never held');
  }

  /** Sends heartbeats until one arrives. */
  async reach(from: BenchMember, to: BenchMember): Promise<void> {
    const before = to.recorder.received.length;
    await this.flowUntil(
      () => to.recorder.received.length > before,
      () => from.transport.send(to.id, appendEntries(0)),
    );
  }

  /** Two members that have reached each other. */
  async startConnectedPair(): Promise<[BenchMember, BenchMember]> {
    const [first, second] = [await this.start(1n), await this.start(2n)];
    await this.reach(first, second);
    await this.reach(second, first);
    await this.flow();
    for (const { recorder } of [first, second]) {
      recorder.received.length = 0;
      recorder.unreachablePeers.length = 0;
    }
    return [first, second];
  }

  /** Lets messages flow until a promise settles: what became of it. */
  async outcomeOf(promise: Promise<void>): Promise<unknown> {
    let outcome: { readonly error: unknown } | undefined;
    promise.then(
      () => (outcome = { error: undefined }),
      (error: unknown) => (outcome = { error }),
    );
    await this.flowUntil(() => outcome !== undefined);
    return outcome?.error;
  }
}
