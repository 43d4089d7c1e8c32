/** What a member and a front end say to each other about everything but calls: over the channel that Node gives a child. */
import type { ServerOptions } from '@grpc/grpc-js';
import type { TlsIdentity } from '../../base/tls';
import type { FailedHandshake } from '../tls-door';

/** A method as a front end knows it: it reads no message. */
export interface MethodShape {
  readonly path: string;
  readonly requestStream: boolean;
  readonly responseStream: boolean;
}

/** What a front end is told first. */
export interface FrontEndPlan {
  /** Calls name their place in this list. */
  readonly methods: readonly MethodShape[];
  readonly serverOptions: ServerOptions;
  /** What of a client's metadata is passed on. */
  readonly metadataKeys: readonly string[];
  /** The status (`statusText`) of calls that are refused because the member takes too slowly what was sent to it. */
  readonly overloaded: string;
  /** What clients are shown; without it they come in the clear. */
  readonly identity: TlsIdentity | undefined;
  /** The socket at which the member takes connections of HTTP/1.1, which it cannot tell from others before the handshake. */
  readonly httpPath: string | undefined;
  /** A member that says nothing for once to twice as long cannot serve, milliseconds. */
  readonly silentMs: number;
}

/** The member to its front end. */
export type ToFrontEnd =
  | { readonly kind: 'start'; readonly plan: FrontEndPlan }
  /**
   * Comes with the connection. `head`: what was read of it already, base64. A sealed one begins with TLS, and nothing of it
   * was read; any other speaks HTTP/2 in the clear.
   */
  | { readonly kind: 'connection'; readonly head: string; readonly isSealed: boolean }
  /** Takes the place of the one in the plan, for new connections. */
  | { readonly kind: 'identity'; readonly identity: TlsIdentity }
  /** Takes no more calls, closes each connection after its last one. */
  | { readonly kind: 'retire' }
  /** Closes what is left and ends. */
  | { readonly kind: 'close' };

/** A front end to its member. */
export type FromFrontEnd =
  | { readonly kind: 'ready' }
  /** The connection has arrived: another may be sent. */
  | { readonly kind: 'taken' }
  /** At a bounded rate. */
  | { readonly kind: 'handshake-failed'; readonly failure: FailedHandshake }
  /** After `retire`: no connection is left. */
  | { readonly kind: 'empty' };
