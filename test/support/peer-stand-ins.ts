/** What may stand where a peer is expected: a proxy that can be pulled out, and a peer that does not read. */
import { connect, createServer, type Server as TcpServer, type Socket } from 'node:net';
import { Metadata, Server, ServerCredentials, type ServerDuplexStream } from '@grpc/grpc-js';
import { allPaths } from './peer-caller';
import { freePort } from './free-ports';

/** Stands in a connection's way: forwards to a port that may change, or swallows everything. */
export class Proxy {
  target = 0;
  /** A thin line: this many bytes a second in each direction of a connection. */
  bytesPerSecond = Infinity;
  #isFrozen = false;
  readonly #server: TcpServer;
  readonly #sockets = new Set<Socket>();

  private constructor() {
    this.#server = createServer((incoming) => {
      const outgoing = connect(this.target, '127.0.0.1');
      for (const [socket, other] of [
        [incoming, outgoing],
        [outgoing, incoming],
      ] as const) {
        this.#sockets.add(socket);
        socket.on('data', (bytes) => {
          if (this.#isFrozen) return;
          other.write(bytes);
          if (this.bytesPerSecond === Infinity) return;
          socket.pause();
          setTimeout(() => socket.resume(), (1000 * bytes.length) / this.bytesPerSecond);
        });
        socket.on('error', () => undefined);
        socket.on('close', () => {
          this.#sockets.delete(socket);
          if (!this.#isFrozen) other.destroy();
        });
      }
    });
  }

  static async listen(): Promise<{ proxy: Proxy; port: number }> {
    const port = await freePort();
    const proxy = new Proxy();
    await new Promise<void>((resolve) => proxy.#server.listen(port, '127.0.0.1', resolve));
    return { proxy, port };
  }

  get connections(): number {
    return this.#sockets.size;
  }

  /** From now on bytes vanish: half-open connections, as behind a pulled cable. */
  freeze(): void {
    this.#isFrozen = true;
  }

  thaw(): void {
    this.#isFrozen = false;
  }

  /** Breaks every connection; new ones get through. */
  cut(): void {
    this.#isFrozen = false;
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
  }
}

/** Lets everybody in, and reads what comes when told. */
export class DeafPeer {
  readonly heard: Buffer[] = [];
  #server: Server | undefined;
  readonly #streams: ServerDuplexStream<Buffer, Buffer>[] = [];

  async listen(): Promise<number> {
    const pass = (bytes: Buffer): Buffer => bytes;
    const server = new Server({ 'grpc.max_receive_message_length': -1 });
    for (const path of allPaths) {
      const codec = {
        requestSerialize: pass,
        requestDeserialize: pass,
        responseSerialize: pass,
        responseDeserialize: pass,
      };
      const method = { path, requestStream: true, responseStream: true, ...codec };
      server.addService(
        { method },
        {
          method: (stream: ServerDuplexStream<Buffer, Buffer>) => {
            stream.sendMetadata(new Metadata());
            stream.on('error', () => undefined);
            if (path.endsWith('/AppendEntries')) this.#streams.push(stream);
          },
        },
      );
    }
    this.#server = server;
    return new Promise((resolve, reject) => {
      server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) => {
        if (error === null) resolve(port);
        else reject(error);
      });
    });
  }

  close(): void {
    this.#server?.forceShutdown();
  }

  get streams(): number {
    return this.#streams.length;
  }

  beginToRead(): void {
    for (const stream of this.#streams) stream.on('data', (bytes: Buffer) => this.heard.push(bytes));
  }
}
