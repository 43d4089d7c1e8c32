/** Where connections with TLS are opened: the handshake, within bounds, for whoever listens. */
import type { Socket } from 'node:net';
import { createServer, type Server, type TLSSocket } from 'node:tls';
import type { Logger } from '../base/logger';
import type { TlsIdentity } from '../base/tls';
import { contextOptions } from '../tls/context';
import { answerFailure } from '../tls/failures';
import { Complaints } from '../transport/complaints';

/** A handshake that came to nothing. */
export interface FailedHandshake {
  readonly reason: string;
  /** Of the client, if it is still known. */
  readonly address: string | undefined;
}

export interface TlsDoorOptions {
  /** With `trusted`, every client must show a certificate that one of those has signed. */
  readonly identity: TlsIdentity;
  /** Takes a connection whose handshake is done. */
  readonly onOpen: (socket: TLSSocket) => void;
  /** Hears of failures, at a bounded rate. */
  readonly onFailed: (failure: FailedHandshake) => void;
}

export const tlsLimits = {
  /** The time for a handshake from its first byte to its last, milliseconds. */
  handshakeMs: 10_000,
  /** Handshakes at a time. One more ends the oldest: so a crowd that never finishes does not lock others out. */
  maxHandshakes: 1_000,
  /** The same failure is told once in this time, milliseconds. */
  complaintIntervalMs: 60_000,
} as const;

/** A handshake that is not done. */
interface Handshake {
  readonly raw: Socket;
  readonly timer: NodeJS.Timeout;
}

export class TlsDoor {
  readonly #options: TlsDoorOptions;
  readonly #server: Server;
  readonly #complaints = new Complaints(tlsLimits.complaintIntervalMs);
  /** By the address of the client, in the order of their beginning. */
  readonly #handshakes = new Map<string, Handshake>();

  constructor(options: TlsDoorOptions) {
    this.#options = options;
    const { identity } = options;
    // It never listens: connections come through `take`.
    this.#server = createServer({
      ...contextOptions(identity),
      // In the order of our preference: who can speak both (curl, Prometheus) wants HTTP, clients of gRPC offer h2 alone.
      ALPNProtocols: ['http/1.1', 'h2'],
      requestCert: identity.trusted !== undefined,
      rejectUnauthorized: identity.trusted !== undefined,
    });
    this.#server.on('secureConnection', (socket) => {
      this.#end(addressOf(socket));
      options.onOpen(socket);
    });
    this.#server.on('tlsClientError', (error, socket) => {
      this.#onError(error, socket);
      socket.destroy();
    });
  }

  /** Takes a connection of which nothing is read. */
  take(raw: Socket): void {
    const address = addressOf(raw);
    // Its client has gone already.
    if (address === undefined) raw.destroy();
    else this.#begin(raw, address);
  }

  /** For connections from now on. Sessions of before cannot be resumed: whom the new authorities do not know stays out. */
  replace(identity: TlsIdentity): void {
    this.#server.setSecureContext(contextOptions(identity));
  }

  /** Closes the connections whose handshake is not done. */
  close(): void {
    for (const { raw } of this.#handshakes.values()) raw.destroy();
  }

  #begin(raw: Socket, address: string): void {
    if (this.#handshakes.size >= tlsLimits.maxHandshakes) this.#dropOldest();
    const timer = setTimeout(() => {
      this.#drop(address, `not done after ${String(tlsLimits.handshakeMs)} ms`);
    }, tlsLimits.handshakeMs);
    this.#handshakes.set(address, { raw, timer });
    raw.once('error', closes).once('close', () => {
      if (this.#handshakes.get(address)?.raw === raw) this.#end(address);
    });
    this.#server.emit('connection', raw);
  }

  #dropOldest(): void {
    for (const address of this.#handshakes.keys()) {
      this.#drop(address, `more than ${String(tlsLimits.maxHandshakes)} at a time`);
      return;
    }
  }

  #drop(address: string, reason: string): void {
    this.#handshakes.get(address)?.raw.destroy();
    this.#end(address);
    this.#complain({ reason, address });
  }

  #end(address: string | undefined): void {
    if (address === undefined) return;
    clearTimeout(this.#handshakes.get(address)?.timer);
    this.#handshakes.delete(address);
  }

  #onError(error: Error, socket: TLSSocket): void {
    const reason = answerFailure({ error, authorizationError: socket.authorizationError });
    // Nothing is said of one that just went away: probes that only connect do so.
    if (reason !== undefined) this.#complain({ reason, address: addressOf(socket) ?? addressOf(rawOf(socket)) });
  }

  #complain(failure: FailedHandshake): void {
    if (this.#complaints.isNew(failure.reason)) this.#options.onFailed(failure);
  }
}

/** Tells the log, for whoever looks for the client that cannot connect. */
export function logFailedHandshake(logger: Logger, { reason, address }: FailedHandshake): void {
  logger.warn(
    { reason, clientAddress: address },
    'a TLS handshake with a client failed; the same is not told again for a minute',
  );
}

/** Tells connections apart; `undefined` for one that is not connected any more. */
function addressOf(socket: Socket | undefined): string | undefined {
  const { remoteAddress, remotePort } = socket ?? {};
  return remoteAddress === undefined ? undefined : `${remoteAddress} ${String(remotePort)}`;
}

/** What lies below knows the address longer. No public name; only for the log. */
function rawOf(socket: TLSSocket): Socket | undefined {
  return (socket as unknown as { readonly _parent?: Socket })._parent;
}

/** An error of what lies below is one of the connection above it, which tells. */
function closes(): void {}
