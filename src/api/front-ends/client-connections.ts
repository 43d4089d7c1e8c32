/** The connections that a front end holds: opens those with TLS, and passes to the member those that are not gRPC. */
import { connect, type Socket } from 'node:net';
import { pipeline } from 'node:stream';
import type { TlsIdentity } from '../../base/tls';
import { ProtocolSwitch } from '../protocol-switch';
import { type FailedHandshake, TlsDoor } from '../tls-door';

/** Who takes connections, and who hears of those that come to nothing. */
export interface ClientConnectionsOptions {
  readonly identity: TlsIdentity | undefined;
  /** Where the member takes connections of HTTP/1.1. */
  readonly httpPath: string | undefined;
  readonly onHttp2: (socket: Socket) => void;
  readonly onFailedHandshake: (failure: FailedHandshake) => void;
}

export class ClientConnections {
  readonly #options: ClientConnectionsOptions;
  readonly #open = new Set<Socket>();
  readonly #passedOn = new Set<Socket>();
  readonly #switch: ProtocolSwitch;
  readonly #door: TlsDoor | undefined;
  #onEmpty: () => void = () => undefined;

  constructor(options: ClientConnectionsOptions) {
    this.#options = options;
    const { identity, onFailedHandshake } = options;
    this.#switch = new ProtocolSwitch({
      http2: options.onHttp2,
      http1: (socket) => {
        this.#passOn(socket);
      },
    });
    if (identity === undefined) return;
    const onOpen = (socket: Socket): void => {
      this.#switch.decide(socket);
    };
    this.#door = new TlsDoor({ identity, onOpen, onFailed: onFailedHandshake });
  }

  /** Takes one of which nothing was read: it begins with TLS. */
  takeSealed(socket: Socket): void {
    this.#count(socket);
    if (this.#door === undefined) socket.destroy();
    else this.#door.take(socket);
  }

  /** Takes one that speaks HTTP/2, of which `head` was read before. */
  takeOpen(socket: Socket, head: Buffer): void {
    this.#count(socket);
    if (head.length > 0) socket.unshift(head);
    this.#options.onHttp2(socket);
  }

  replaceIdentity(identity: TlsIdentity): void {
    this.#door?.replace(identity);
  }

  /** Closes those that have not said yet what they are. */
  closeUndecided(): void {
    this.#door?.close();
    this.#switch.close();
  }

  /** Closes those that are not gRPC. */
  closeOthers(): void {
    this.closeUndecided();
    for (const socket of this.#passedOn) socket.destroy();
  }

  /** Calls back when none is left. */
  whenEmpty(onEmpty: () => void): void {
    this.#onEmpty = onEmpty;
    if (this.#open.size === 0) onEmpty();
  }

  #count(socket: Socket): void {
    this.#open.add(socket);
    socket.once('close', () => {
      this.#open.delete(socket);
      if (this.#open.size === 0) this.#onEmpty();
    });
  }

  /** The member serves it, in the clear. Each side closes with the other, however that comes about. */
  #passOn(socket: Socket): void {
    const { httpPath } = this.#options;
    if (httpPath === undefined) {
      socket.destroy();
      return;
    }
    this.#passedOn.add(socket);
    const member = connect(httpPath);
    pipeline(socket, member, socket, () => {
      this.#passedOn.delete(socket);
      socket.destroy();
      member.destroy();
    });
  }
}
