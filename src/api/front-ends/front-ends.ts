/** gRPC served by processes beside the member's own: they have the connections, the member has the calls. */
import type { Socket } from 'node:net';
import { QuorateError } from '../../base/error';
import type { Logger } from '../../base/logger';
import type { TlsSource } from '../../base/tls';
import { statusOfError } from '../errors';
import { type FrontEndCounts, type GrpcSide, type GrpcSideOptions, grpcServerOptions } from '../grpc-side';
import { maxRequestBytes } from '../limits';
import { type FailedHandshake, logFailedHandshake } from '../tls-door';
import type { FrontEndPlan, MethodShape } from './control';
import { statusText } from './frames';
import { FrontEndSeat } from './front-end-seat';
import type { Arrival } from './hand-over';
import { frontEndLimits } from './limits';
import { methodTable } from './method-table';

/** What front ends are made of. */
export interface FrontEndsOptions extends GrpcSideOptions {
  /** How many. `FrontEnds` has at least one. */
  readonly count: number;
  /** What of a client's metadata the handlers read. */
  readonly metadataKeys: readonly string[];
  /** With it, front ends open the connections that come sealed. */
  readonly tls: TlsSource | undefined;
  readonly logger: Logger;
}

/** What a call's frame holds beside the request: HTTP/2 bounds the metadata of a call to 64 KiB. */
const callOverheadBytes = 256 * 1024;

export class FrontEnds implements GrpcSide {
  readonly takeSealed: ((socket: Socket) => void) | undefined;
  readonly #seats: readonly FrontEndSeat[];
  /** Connections no front end could take yet. */
  readonly #waiting = new Set<Arrival>();
  #httpPath: string | undefined;
  #next = 0;
  #isRetired = false;

  constructor(options: FrontEndsOptions) {
    const methods = methodTable(options);
    const plan = planOf(options, methods);
    const seat = {
      methods,
      plan: () => ({ ...plan, identity: options.tls?.current, httpPath: this.#httpPath }),
      maxPayloadBytes: maxRequestBytes(options.limits) + callOverheadBytes,
      logger: options.logger,
      onFree: () => {
        this.#distribute();
      },
      onFailedHandshake: (failure: FailedHandshake) => {
        logFailedHandshake(options.logger, failure);
      },
    };
    this.#seats = Array.from({ length: options.count }, () => new FrontEndSeat(seat));
    const { tls } = options;
    if (tls === undefined) return;
    this.takeSealed = (socket) => {
      this.#take({ socket, isSealed: true });
    };
    tls.onChange(() => {
      for (const { child } of this.#seats) child?.replaceIdentity(tls.current);
    });
  }

  get frontEnds(): FrontEndCounts {
    return {
      running: this.#seats.filter(({ child }) => child?.isUp === true).length,
      restarts: this.#seats.reduce((sum, { restarts }) => sum + restarts, 0),
    };
  }

  async start(httpPath: string | undefined): Promise<void> {
    this.#httpPath = httpPath;
    try {
      await Promise.all(this.#seats.map((seat) => seat.start()));
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  take(socket: Socket): void {
    this.#take({ socket, isSealed: false });
  }

  async retire(): Promise<void> {
    this.#closeWaiting();
    await Promise.all(this.#seats.map(async ({ child }) => child?.retire()));
  }

  async close(): Promise<void> {
    this.#closeWaiting();
    await Promise.all(this.#seats.map((seat) => seat.close()));
  }

  #take(arrival: Arrival): void {
    const { socket } = arrival;
    if (this.#isRetired || this.#waiting.size >= frontEndLimits.maxWaitingConnections) {
      socket.destroy();
      return;
    }
    this.#waiting.add(arrival);
    socket.once('error', destroyed).once('close', () => this.#waiting.delete(arrival));
    this.#distribute();
  }

  /** And takes no others. */
  #closeWaiting(): void {
    this.#isRetired = true;
    for (const { socket } of this.#waiting) socket.destroy();
  }

  /** Hands each connection that waits to the next front end that can take one. */
  #distribute(): void {
    for (const arrival of this.#waiting) {
      const child = this.#nextFree();
      if (child === undefined) return;
      this.#waiting.delete(arrival);
      if (!arrival.socket.destroyed) child.hand(arrival);
    }
  }

  /** In turns, so that the same number of connections is everywhere. */
  #nextFree() {
    const count = this.#seats.length;
    const inTurn = this.#seats.map((_, at) => (this.#next + at) % count);
    const free = inTurn.find((at) => this.#seats[at]?.child?.isFree === true);
    if (free === undefined) return undefined;
    this.#next = free + 1;
    return this.#seats[free]?.child;
  }
}

/** What is the same for all of them, for ever. */
function planOf(options: FrontEndsOptions, methods: readonly MethodShape[]): FixedPlan {
  return {
    methods: methods.map(({ path, requestStream, responseStream }) => ({ path, requestStream, responseStream })),
    serverOptions: grpcServerOptions(options),
    metadataKeys: options.metadataKeys,
    overloaded: statusText(statusOfError(overloaded())),
    silentMs: frontEndLimits.silentMs,
  };
}

type FixedPlan = Omit<FrontEndPlan, 'identity' | 'httpPath'>;

/** A connection that fails while it waits closes, and `close` tells. */
function destroyed(): void {}

function overloaded(): QuorateError {
  const message = 'this member takes too slowly what its front end has for it; nothing was done';
  const limit = `${String(frontEndLimits.maxUnsentBytes)} bytes on their way`;
  return new QuorateError('overloaded', message, { details: { limit } });
}
