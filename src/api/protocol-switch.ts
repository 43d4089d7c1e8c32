/** Tells HTTP/2 from HTTP/1.1 by the first bytes of a connection, and hands it to whoever speaks that. */
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';

/** Who goes on with a connection once its protocol is known. Nothing of it is read yet. */
export interface ConnectionTakers {
  http2(socket: Socket): void;
  http1(socket: Socket): void;
}

/** How a connection of HTTP/2 begins (RFC 9113 §3.4), as far as it takes to tell it from every method of HTTP/1.1. */
const prefaceStart = Buffer.from('PRI ');

/** A connection that has not said that much within this time is closed, milliseconds. */
const silenceMs = 10_000;

export class ProtocolSwitch {
  readonly #takers: ConnectionTakers;
  readonly #undecided = new Set<Socket>();

  constructor(takers: ConnectionTakers) {
    this.#takers = takers;
  }

  /** Waits for the first bytes of a connection, which is open in the clear. */
  decide(socket: Socket): void {
    let head: Buffer = Buffer.alloc(0);
    const drop = () => {
      socket.destroy();
    };
    const onData = (bytes: Buffer) => {
      head = head.length === 0 ? bytes : Buffer.concat([head, bytes]);
      const begun = head.subarray(0, prefaceStart.length);
      const maybeHttp2 = begun.equals(prefaceStart.subarray(0, begun.length));
      if (maybeHttp2 && begun.length < prefaceStart.length) return;
      socket.off('data', onData).off('error', drop).off('end', drop).setTimeout(0, drop);
      this.#undecided.delete(socket);
      socket.pause();
      socket.unshift(head);
      if (maybeHttp2) this.#takers.http2(asHttp2(socket));
      else this.#takers.http1(socket);
    };
    this.#undecided.add(socket);
    socket.once('close', () => this.#undecided.delete(socket));
    socket.on('data', onData).on('error', drop).on('end', drop).setTimeout(silenceMs, drop).resume();
  }

  /** Closes the connections that have not said yet what they are. */
  close(): void {
    for (const socket of this.#undecided) socket.destroy();
  }
}

/** Some clients of gRPC do not name the protocol in the handshake (ALPN); `node:http2` would send them away. */
function asHttp2(socket: Socket): Socket {
  if (socket instanceof TLSSocket && socket.alpnProtocol === false) socket.alpnProtocol = 'h2';
  return socket;
}
