/** The settings of the gRPC transport, each with unit, default and range. */
import type { ChannelOptions } from '@grpc/grpc-js';
import type { Incarnation } from '../base/incarnation';
import type { Logger } from '../base/logger';
import type { TlsSource } from '../base/tls';
import type { MemberId } from '../raft';
import { maxSnapshotChunkBytes } from './snapshot-codec';

/** Who this member is, and who the others are. */
export interface GrpcTransportIdentity {
  /** Only members that name the same cluster are let in. */
  readonly clusterId: bigint;
  readonly selfId: MemberId;
  /** Told to every peer, which may refuse a member whose data was lost or set back. */
  readonly incarnation: Incarnation;
  /** `host:port` to listen on; port 0 takes any free one (see `GrpcTransport.boundPort`). */
  readonly listenAddress: string;
}

/** Bounds and times. All times are in milliseconds. */
export interface GrpcTransportTuning {
  /** The core's `maxAppendBytes`: with `maxEntryBytes` it bounds the size of a message. */
  readonly maxAppendBytes: number;
  /** Most payload bytes of one entry; a larger one is refused. Default 8 MiB. */
  readonly maxEntryBytes: number;
  /** Most messages that wait for one stream to take them; beyond, they are dropped. Default 1024, range 1 to 65,536. */
  readonly maxQueuedMessages: number;
  /**
   * Most bytes that wait for one stream, passed by one message at most. Default 32 MiB; at least the core's
   * `maxInflightBytes`, or pipelining breaks off.
   */
  readonly maxQueuedBytes: number;
  /**
   * Most bytes handed to HTTP/2 and not yet on their way, beside one message of any size: what a heartbeat may have to
   * wait for. Default 256 KiB, range 16 KiB to 16 MiB.
   */
  readonly maxUnflushedBytes: number;
  /** Most votes that one peer may wait for, and most unary calls to one peer. Default 16, range 1 to 1024. */
  readonly maxPendingCalls: number;
  /** Give up a TCP connection attempt. Default 1000, range 50 to 60,000. */
  readonly connectTimeoutMs: number;
  /**
   * Give up a connection, dialed or accepted, on which the peer does not get through its handshakes (it is stopped, or no
   * member). Default 3000.
   */
  readonly handshakeTimeoutMs: number;
  /** Wait between connection attempts: doubles from the first to the second. Defaults 50 and 500. */
  readonly minReconnectDelayMs: number;
  readonly maxReconnectDelayMs: number;
  /** Wait after a peer refused this member (another cluster, another member). Default 5000. */
  readonly refusedReconnectDelayMs: number;
  /** Repeat the same complaint about a peer in the log no sooner than this. Default 60,000. */
  readonly complaintIntervalMs: number;
  /** A connection is checked (HTTP/2 PING) this often. Default 300; see `keepaliveFor`. */
  readonly keepaliveIntervalMs: number;
  /** A connection whose check is not answered in this time is dropped. Default 1000; see `keepaliveFor`. */
  readonly keepaliveTimeoutMs: number;
  /** A unary call (a vote) that is not answered is given up. Default 2000; no use above two election timeouts. */
  readonly callTimeoutMs: number;
  /** A peer that is none any more is sent what was handed over before, for this long at most. Default 1000. */
  readonly leaveTimeoutMs: number;
  /** Bytes of a snapshot in one message. Default 256 KiB, range 4 KiB to 1 MiB (`maxSnapshotChunkBytes`). */
  readonly snapshotChunkBytes: number;
  /**
   * A snapshot transfer in which nothing moves for this long is given up, by either side. Also the time that the
   * receiver has, once everything was sent, to write what is still on its way (at most 16 chunks and 1 MiB) and to check
   * the whole. Default 30,000, range 100 to 600,000.
   */
  readonly snapshotStallTimeoutMs: number;
  /** Most snapshots taken at a time, from different members. Default 4, range 1 to 64. */
  readonly maxIncomingSnapshots: number;
  /** `stop` lets running calls end for this long. Default 250. */
  readonly stopTimeoutMs: number;
}

/** Everything a `GrpcTransport` needs. */
export interface GrpcTransportOptions extends GrpcTransportIdentity {
  readonly logger: Logger;
  readonly tuning: GrpcTransportTuning;
  /** With it members talk to each other in mutual TLS only; without it in plain text only. */
  readonly tls?: TlsSource;
  /** The certificate of a peer carries one of these, as a DNS name or as its common name. Default: any certificate will do. */
  readonly allowedNames?: readonly string[];
}

export const defaultGrpcTransportTuning: GrpcTransportTuning = {
  maxAppendBytes: 1024 * 1024,
  maxEntryBytes: 8 * 1024 * 1024,
  maxQueuedMessages: 1024,
  maxQueuedBytes: 32 * 1024 * 1024,
  maxUnflushedBytes: 256 * 1024,
  maxPendingCalls: 16,
  connectTimeoutMs: 1000,
  handshakeTimeoutMs: 3000,
  minReconnectDelayMs: 50,
  maxReconnectDelayMs: 500,
  refusedReconnectDelayMs: 5000,
  complaintIntervalMs: 60_000,
  keepaliveIntervalMs: 300,
  keepaliveTimeoutMs: 1000,
  callTimeoutMs: 2000,
  leaveTimeoutMs: 1000,
  snapshotChunkBytes: 256 * 1024,
  snapshotStallTimeoutMs: 30_000,
  maxIncomingSnapshots: 4,
  stopTimeoutMs: 250,
};

/** When a connection on which nothing comes back is given up: after the sum of the two at most. */
export type Keepalive = Pick<GrpcTransportTuning, 'keepaliveIntervalMs' | 'keepaliveTimeoutMs'>;

/**
 * The keepalive that suits these times of the core: a connection is checked every three heartbeats, and given up when it
 * is silent for an election timeout, by which time its member counts as lost anyway. Never so tight that a pause of the
 * process (garbage collection, a slow disk) breaks connections: at least 100 and 500 ms.
 */
export function keepaliveFor(times: {
  readonly heartbeatIntervalMs: number;
  readonly electionTimeoutMs: number;
}): Keepalive {
  return {
    keepaliveIntervalMs: Math.max(3 * times.heartbeatIntervalMs, 100),
    keepaliveTimeoutMs: Math.max(times.electionTimeoutMs, 500),
  };
}

/**
 * The largest peer message in bytes, on the wire. Append bytes are counted by payload; an entry's frame is about 11
 * bytes, so four times the payload allows for the smallest commands.
 */
export function maxMessageBytes(tuning: GrpcTransportTuning): number {
  return Math.max(4 * tuning.maxAppendBytes, tuning.maxEntryBytes, maxSnapshotChunkBytes) + 64 * 1024;
}

/**
 * HTTP/2 flow-control window for what comes back on an outgoing connection. (For what is sent, the listener's window
 * counts: grpc-js leaves that at the default of 64 KiB for a whole connection, so that bulk data on one stream would hold
 * up all others. One connection carries at most 64 KiB per round trip.)
 */
const flowControlWindowBytes = 1024 * 1024;

/** grpc-js settings of one outgoing connection. */
export function channelOptions(tuning: GrpcTransportTuning): ChannelOptions {
  return {
    'grpc.max_receive_message_length': maxMessageBytes(tuning),
    'grpc.max_send_message_length': maxMessageBytes(tuning),
    'grpc.keepalive_time_ms': tuning.keepaliveIntervalMs,
    'grpc.keepalive_timeout_ms': tuning.keepaliveTimeoutMs,
    'grpc.keepalive_permit_without_calls': 1,
    // A connection is ours alone: the global pool would hand us one that somebody else opened, with its old address.
    'grpc.use_local_subchannel_pool': 1,
    // Retries would keep a copy of what was sent; Raft sends again by itself.
    'grpc.enable_retries': 0,
    // Peers are reached directly, whatever http_proxy says, and DNS TXT records configure nothing.
    'grpc.enable_http_proxy': 0,
    'grpc.service_config_disable_resolution': 1,
    'grpc.enable_channelz': 0,
    'grpc-node.flow_control_window': flowControlWindowBytes,
  };
}

/** grpc-js settings of the peer listener. */
export function serverOptions(tuning: GrpcTransportTuning): ChannelOptions {
  return {
    'grpc.max_receive_message_length': maxMessageBytes(tuning),
    'grpc.max_send_message_length': maxMessageBytes(tuning),
    'grpc.keepalive_time_ms': tuning.keepaliveIntervalMs,
    'grpc.keepalive_timeout_ms': tuning.keepaliveTimeoutMs,
    'grpc.max_concurrent_streams': 64,
    // With channelz, whose counters cost little where calls are few: without it grpc-js closes no connection by force.
  };
}
