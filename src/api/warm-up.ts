/** Runs the code that carries calls before anybody calls, so that the first clients need not wait until it is compiled. */
import { Client, type ClientUnaryCall, credentials } from '@grpc/grpc-js';
import type { Scheduler, Timer } from '../base/clock';
import type { Logger } from '../base/logger';

/** How a member calls itself. */
export interface WarmUpPace {
  /** Pause before the first connection, ms: a cluster that starts elects its leader first. */
  readonly afterMs: number;
  readonly connections: number;
  readonly callsPerConnection: number;
  /** Pause before the next connection, ms. */
  readonly everyMs: number;
}

/** About a second of CPU, spread over three. Half as many connections help half as much (ADR 21). */
export const defaultWarmUpPace: WarmUpPace = { afterMs: 1000, connections: 60, callsPerConnection: 10, everyMs: 20 };

export interface WarmUpOptions {
  /** The socket where this member's own gRPC API is reached, in the clear; read when it begins. */
  path(): string | undefined;
  /** Calls of others that were answered so far. */
  answered(): number;
  readonly scheduler: Scheduler;
  readonly logger: Logger;
  readonly pace: WarmUpPace;
}

const healthCheck = '/grpc.health.v1.Health/Check';

/** So many calls of others do the same; who waits for a start, and probes, make fewer. */
const enoughCalls = 100;

/** A call that takes longer is given up, ms. */
const callTimeoutMs = 1000;

/**
 * Asks the member for its health, over connections as clients have them: all of a unary call but its handler. These calls
 * are in no metric. It ends as soon as others call.
 */
export class WarmUp {
  readonly #options: WarmUpOptions;
  #timer: Timer | undefined;
  #call: ClientUnaryCall | undefined;
  #isStopped = false;

  constructor(options: WarmUpOptions) {
    this.#options = options;
  }

  start(): void {
    this.#wait(this.#options.pace.afterMs, () => {
      void this.#run();
    });
  }

  /** Ends it, whatever is under way. */
  stop(): void {
    this.#isStopped = true;
    this.#timer?.cancel();
    this.#call?.cancel();
  }

  async #run(): Promise<void> {
    const { scheduler, logger, pace } = this.#options;
    const address = this.#options.path();
    if (address === undefined) return;
    const begunAt = scheduler.now();
    let made = 0;
    for (; made < pace.connections && this.#isWorth; made++) {
      await this.#visit(`unix:${address}`);
      await new Promise<void>((resolve) => {
        this.#wait(pace.everyMs, resolve);
      });
    }
    // Stopped, it never comes here.
    logger.debug({ connections: made, ms: Math.round(scheduler.now() - begunAt) }, 'warmed up');
  }

  get #isWorth(): boolean {
    return !this.#isStopped && this.#options.answered() < enoughCalls;
  }

  async #visit(address: string): Promise<void> {
    const client = new Client(address, credentials.createInsecure(), ownConnection);
    const { callsPerConnection } = this.#options.pace;
    for (let call = 0; call < callsPerConnection && this.#isWorth; call++) await this.#checkHealth(client);
    client.close();
  }

  /** Of the whole member: an empty request. Whatever is answered will do. */
  #checkHealth(client: Client): Promise<void> {
    return new Promise((resolve) => {
      const options = { deadline: Date.now() + callTimeoutMs };
      this.#call = client.makeUnaryRequest(healthCheck, bytes, bytes, Buffer.alloc(0), options, () => {
        resolve();
      });
    });
  }

  #wait(delayMs: number, then: () => void): void {
    if (!this.#isStopped) this.#timer = this.#options.scheduler.after(delayMs, then);
  }
}

/** Not shared with other clients of this process, and closed with its client. */
const ownConnection = { 'grpc.use_local_subchannel_pool': 1, 'grpc.enable_retries': 0, 'grpc.enable_channelz': 0 };

const bytes = (message: Buffer): Buffer => message;
