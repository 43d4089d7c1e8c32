/** One port for two protocols: gRPC is HTTP/2, everything else is HTTP/1.1. The first bytes of a connection tell which. */
import { lookup } from 'node:dns/promises';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** Who goes on with a connection once its protocol is known. Nothing of it is read yet. */
export interface ConnectionTakers {
  http2(socket: Socket): void;
  http1(socket: Socket): void;
}

/** How a connection of HTTP/2 begins (RFC 9113 §3.4), as far as it takes to tell it from every method of HTTP/1.1. */
const prefaceStart = Buffer.from('PRI ');

/** A connection that has not said that much within this time is closed, milliseconds. */
const silenceMs = 10_000;

/** Listens on one address, and hands connections to the one or to the other. */
export class SharedPort {
  readonly #takers: ConnectionTakers;
  readonly #servers: Server[] = [];
  readonly #undecided = new Set<Socket>();

  constructor(takers: ConnectionTakers) {
    this.#takers = takers;
  }

  /**
   * Starts to listen, on all addresses of a host that has several names.
   *
   * @param address `host:port`; port 0 takes a free one
   * @returns the port
   */
  async listen(address: string): Promise<number> {
    const colon = address.lastIndexOf(':');
    const host = address.slice(0, colon).replace(/^\[(.*)\]$/, '$1');
    let port = Number(address.slice(colon + 1));
    try {
      for (const { address: ip } of await lookup(host, { all: true })) port = await this.#listenAt(ip, port);
      return port;
    } catch (error) {
      void this.close();
      throw error;
    }
  }

  /**
   * Accepts no more connections, and closes those that have not said yet what they are. Resolves once the last connection
   * is closed, by whoever took it.
   */
  async close(): Promise<void> {
    const closed = this.#servers.map((server) => new Promise((resolve) => server.close(resolve)));
    for (const socket of this.#undecided) socket.destroy();
    await Promise.all(closed);
  }

  #listenAt(host: string, port: number): Promise<number> {
    const server = createServer({ noDelay: true }, (socket) => {
      this.#decide(socket);
    });
    this.#servers.push(server);
    return new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen({ host, port }, () => {
        server.off('error', reject);
        resolve((server.address() as AddressInfo).port);
      });
    });
  }

  #decide(socket: Socket): void {
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
      if (maybeHttp2) this.#takers.http2(socket);
      else this.#takers.http1(socket);
    };
    this.#undecided.add(socket);
    socket.once('close', () => this.#undecided.delete(socket));
    socket.on('data', onData).on('error', drop).on('end', drop).setTimeout(silenceMs, drop);
  }
}
