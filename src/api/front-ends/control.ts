/** What a member and a front end say to each other about everything but calls: over the channel that Node gives a child. */
import type { ServerOptions } from '@grpc/grpc-js';

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
  /** A member that says nothing for once to twice as long cannot serve, milliseconds. */
  readonly silentMs: number;
}

/** The member to its front end. */
export type ToFrontEnd =
  | { readonly kind: 'start'; readonly plan: FrontEndPlan }
  /** Comes with the connection. What was read of it already, base64. */
  | { readonly kind: 'connection'; readonly head: string }
  /** Takes no more calls, closes each connection after its last one. */
  | { readonly kind: 'retire' }
  /** Closes what is left and ends. */
  | { readonly kind: 'close' };

/** A front end to its member. */
export type FromFrontEnd =
  | { readonly kind: 'ready' }
  /** The connection has arrived: another may be sent. */
  | { readonly kind: 'taken' }
  /** After `retire`: no connection is left. */
  | { readonly kind: 'empty' };
