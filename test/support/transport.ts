/** Builders for tests of the transport: members of a small cluster, on memory or on gRPC over loopback. */
import type { Incarnation } from '../../src/base/incarnation';
import { silentLogger, type Logger } from '../../src/base/logger';
import type { TlsSource } from '../../src/base/tls';
import type { AppendEntries, Entry, MemberId } from '../../src/raft';
import { GrpcTransport } from '../../src/transport/grpc-transport';
import { defaultGrpcTransportTuning, type GrpcTransportTuning } from '../../src/transport/grpc-transport-options';
import type {
  PeerAddress,
  PeerMessage,
  SnapshotOffer,
  SnapshotSink,
  TransportHandler,
} from '../../src/transport/transport';
import { RecordingSink } from './snapshots';

export const clusterId = 0xc105_7e55_0000_0001n;

/** A handler that writes down what it is told. */
export class Recorder implements TransportHandler {
  readonly received: { from: MemberId; message: PeerMessage }[] = [];
  readonly unreachablePeers: MemberId[] = [];
  readonly gonePeers: MemberId[] = [];
  readonly reachedPeers: MemberId[] = [];
  /** Whoever did not admit this member. */
  readonly refusedBy: MemberId[] = [];
  readonly asked: { peer: MemberId; incarnation: Incarnation | undefined }[] = [];
  onAdmit: (peer: MemberId, incarnation: Incarnation | undefined) => boolean = () => true;
  readonly offers: { from: MemberId; offer: SnapshotOffer }[] = [];
  readonly sinks: RecordingSink[] = [];
  /** Makes the sink of a snapshot, or refuses it. */
  onOffer: (offer: SnapshotOffer) => RecordingSink | Promise<RecordingSink> = () => new RecordingSink();
  /** Answers a message at once, if set. */
  onReceive: ((from: MemberId, message: PeerMessage) => void) | undefined;

  admit(peer: MemberId, incarnation: Incarnation | undefined): boolean {
    this.asked.push({ peer, incarnation });
    return this.onAdmit(peer, incarnation);
  }

  refused(by: MemberId): void {
    this.refusedBy.push(by);
  }

  receive(from: MemberId, message: PeerMessage): void {
    this.received.push({ from, message });
    this.onReceive?.(from, message);
  }

  unreachable(peer: MemberId): void {
    this.unreachablePeers.push(peer);
  }

  gone(peer: MemberId): void {
    this.gonePeers.push(peer);
  }

  reached(peer: MemberId): void {
    this.reachedPeers.push(peer);
  }

  /** Takes every snapshot, into `sinks`. */
  async acceptSnapshot(from: MemberId, offer: SnapshotOffer): Promise<SnapshotSink> {
    this.offers.push({ from, offer });
    const sink = await this.onOffer(offer);
    this.sinks.push(sink);
    return sink;
  }

  get messages(): PeerMessage[] {
    return this.received.map(({ message }) => message);
  }

  ofKind<K extends PeerMessage['kind']>(kind: K): Extract<PeerMessage, { kind: K }>[] {
    return this.messages.filter((message): message is Extract<PeerMessage, { kind: K }> => message.kind === kind);
  }
}

/** A logger that keeps the messages. */
export function recordingLogger(): Logger & { readonly lines: { level: string; text: string; reason: string }[] } {
  const lines: { level: string; text: string; reason: string }[] = [];
  const at =
    (level: string): Logger['info'] =>
    (fields, text) => {
      lines.push({ level, text, reason: String(fields.reason) });
    };
  return { lines, debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}

/** Quick enough for tests, otherwise as in production. */
export const testTuning: GrpcTransportTuning = {
  ...defaultGrpcTransportTuning,
  connectTimeoutMs: 500,
  handshakeTimeoutMs: 1000,
  refusedReconnectDelayMs: 200,
  keepaliveIntervalMs: 100,
  keepaliveTimeoutMs: 300,
  callTimeoutMs: 1000,
  stopTimeoutMs: 100,
  leaveTimeoutMs: 300,
  snapshotStallTimeoutMs: 1500,
};

/** The incarnation of a member in these tests, unless they say otherwise. */
export function incarnationOf(id: MemberId): Incarnation {
  return { disk: 100n + id, boots: 1, run: 1000n + id };
}

/** A gRPC transport on loopback. */
export function grpcTransport(
  selfId: MemberId,
  listenAddress: string,
  peers: readonly PeerAddress[],
  more: {
    tuning?: Partial<GrpcTransportTuning>;
    logger?: Logger;
    clusterId?: bigint;
    incarnation?: Incarnation;
    tls?: TlsSource;
    allowedNames?: readonly string[];
  } = {},
): GrpcTransport {
  const { tuning, ...others } = more;
  const transport = new GrpcTransport({
    clusterId,
    selfId,
    incarnation: incarnationOf(selfId),
    listenAddress,
    logger: silentLogger,
    ...others,
    tuning: { ...testTuning, ...tuning },
  });
  transport.updatePeers(peers);
  return transport;
}

/** Consecutive entries of one term. */
function entries(firstIndex: number, count: number, bytes = 8, term = 1): Entry[] {
  return Array.from({ length: count }, (_, at) => ({
    index: firstIndex + at,
    term,
    kind: 'command',
    payload: Buffer.alloc(bytes, at),
  }));
}

/** An AppendEntries of term 1; a heartbeat unless `count` is given. */
export function appendEntries(prevLogIndex: number, count = 0, bytes = 8): AppendEntries {
  return {
    kind: 'append-entries',
    term: 1,
    prevLogIndex,
    prevLogTerm: prevLogIndex === 0 ? 0 : 1,
    entries: entries(prevLogIndex + 1, count, bytes),
    leaderCommit: 0,
    readRound: 0,
  };
}

/** Waits for something that real processes and sockets bring about. */
export async function until(condition: () => boolean, what: string, timeoutMs = 10_000): Promise<void> {
  const end = performance.now() + timeoutMs;
  while (!condition()) {
    if (performance.now() > end) throw new Error(`did not happen in ${timeoutMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
