/** One port for two protocols: gRPC is HTTP/2, everything else is HTTP/1.1. */
import { lookup } from 'node:dns/promises';
import { createServer, type AddressInfo, type ListenOptions, type Server, type Socket } from 'node:net';
import { splitAddress } from '../base/names';
import { Arrivals, type ArrivalsOptions } from './arrivals';
import { type ConnectionTakers, ProtocolSwitch } from './protocol-switch';

/** Takes a connection as it comes: paused, nothing of it is read. */
export type Entrance = (socket: Socket) => void;

/** Who goes on with a connection, and the time and turns it waits in. */
export type SharedPortOptions = ConnectionTakers & Pick<ArrivalsOptions<unknown>, 'scheduler'>;

/** A connection that was accepted, and what it enters by. */
interface Arrival {
  readonly socket: Socket;
  readonly entrance: Entrance;
}

/** Listens, and hands connections to the one or to the other. */
export class SharedPort {
  readonly #switch: ProtocolSwitch;
  readonly #servers: Server[] = [];
  readonly #arrivals: Arrivals<Arrival>;

  constructor({ scheduler, ...takers }: SharedPortOptions) {
    this.#switch = new ProtocolSwitch(takers);
    this.#arrivals = new Arrivals({
      scheduler,
      letIn: ({ socket, entrance }) => {
        entrance(socket);
      },
    });
  }

  /**
   * Starts to listen, on all addresses of a host that has several names.
   *
   * @param address `host:port`; port 0 takes a free one
   * @param entrance what must be done before the protocol can be told, such as TLS; then `decide` goes on
   * @returns the port
   */
  async listen(address: string, entrance?: Entrance): Promise<number> {
    const { host, port: wanted } = splitAddress(address);
    let port = wanted;
    try {
      for (const { address: ip } of await lookup(host, { all: true })) {
        const server = await this.#listenAt({ host: ip, port }, entrance);
        port = (server.address() as AddressInfo).port;
      }
      return port;
    } catch (error) {
      void this.close();
      throw error;
    }
  }

  /** Listens at the path of a socket too. Connections there are in the clear. */
  async listenAtPath(path: string): Promise<void> {
    await this.#listenAt({ path });
  }

  /** Goes on with a connection that is open in the clear. */
  decide(socket: Socket): void {
    this.#switch.decide(socket);
  }

  /**
   * Accepts no more connections, and closes those that have not said yet what they are. Resolves once the last connection
   * is closed, by whoever took it.
   */
  async close(): Promise<void> {
    const closed = this.#servers.map((server) => new Promise((resolve) => server.close(resolve)));
    for (const { socket } of this.#arrivals.takeAll()) socket.destroy();
    this.#switch.close();
    await Promise.all(closed);
  }

  #listenAt(
    where: ListenOptions,
    entrance: Entrance = (socket) => {
      this.decide(socket);
    },
  ): Promise<Server> {
    const server = createServer({ noDelay: true, pauseOnConnect: true }, (socket) => {
      this.#arrivals.add({ socket, entrance });
    });
    return new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen(where, () => {
        server.off('error', reject);
        this.#servers.push(server);
        resolve(server);
      });
    });
  }
}
