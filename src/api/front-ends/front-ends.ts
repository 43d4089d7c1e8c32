/** gRPC served by processes beside the member's own: they have the connections, the member has the calls. */
import type { Socket } from 'node:net';
import { QuorateError } from '../../base/error';
import type { Logger } from '../../base/logger';
import { statusOfError } from '../errors';
import { type FrontEndCounts, type GrpcSide, type GrpcSideOptions, grpcServerOptions } from '../grpc-side';
import { maxRequestBytes } from '../limits';
import { statusText } from './frames';
import { FrontEndSeat } from './front-end-seat';
import { frontEndLimits } from './limits';
import { methodTable } from './method-table';

/** What front ends are made of. */
export interface FrontEndsOptions extends GrpcSideOptions {
  /** How many. `FrontEnds` has at least one. */
  readonly count: number;
  /** What of a client's metadata the handlers read. */
  readonly metadataKeys: readonly string[];
  readonly logger: Logger;
}

/** What a call's frame holds beside the request: HTTP/2 bounds the metadata of a call to 64 KiB. */
const callOverheadBytes = 256 * 1024;

export class FrontEnds implements GrpcSide {
  readonly #seats: readonly FrontEndSeat[];
  /** Connections no front end could take yet. */
  readonly #waiting = new Set<Socket>();
  #next = 0;
  #isRetired = false;

  constructor(options: FrontEndsOptions) {
    const methods = methodTable(options);
    const plan = {
      methods: methods.map(({ path, requestStream, responseStream }) => ({ path, requestStream, responseStream })),
      serverOptions: grpcServerOptions(options),
      metadataKeys: options.metadataKeys,
      overloaded: statusText(statusOfError(overloaded())),
      silentMs: frontEndLimits.silentMs,
    };
    const seat = {
      methods,
      plan,
      maxPayloadBytes: maxRequestBytes(options.limits) + callOverheadBytes,
      logger: options.logger,
      onFree: () => {
        this.#distribute();
      },
    };
    this.#seats = Array.from({ length: options.count }, () => new FrontEndSeat(seat));
  }

  get frontEnds(): FrontEndCounts {
    return {
      running: this.#seats.filter(({ child }) => child?.isUp === true).length,
      restarts: this.#seats.reduce((sum, { restarts }) => sum + restarts, 0),
    };
  }

  async start(): Promise<void> {
    try {
      await Promise.all(this.#seats.map((seat) => seat.start()));
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  take(connection: Socket): void {
    if (this.#isRetired || this.#waiting.size >= frontEndLimits.maxWaitingConnections) {
      connection.destroy();
      return;
    }
    this.#waiting.add(connection);
    connection.once('error', destroyed).once('close', () => this.#waiting.delete(connection));
    this.#distribute();
  }

  async retire(): Promise<void> {
    this.#closeWaiting();
    await Promise.all(this.#seats.map(async ({ child }) => child?.retire()));
  }

  async close(): Promise<void> {
    this.#closeWaiting();
    await Promise.all(this.#seats.map((seat) => seat.close()));
  }

  /** And takes no others. */
  #closeWaiting(): void {
    this.#isRetired = true;
    for (const connection of this.#waiting) connection.destroy();
  }

  /** Hands each connection that waits to the next front end that can take one. */
  #distribute(): void {
    for (const connection of this.#waiting) {
      const child = this.#nextFree();
      if (child === undefined) return;
      this.#waiting.delete(connection);
      if (!connection.destroyed) child.hand(connection);
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

/** A connection that fails while it waits closes, and `close` tells. */
function destroyed(): void {}

function overloaded(): QuorateError {
  const message = 'this member takes too slowly what its front end has for it; nothing was done';
  const limit = `${String(frontEndLimits.maxUnsentBytes)} bytes on their way`;
  return new QuorateError('overloaded', message, { details: { limit } });
}
