/** A second listener, for probes and metrics alone: in plain HTTP, whatever the clients use. */
import { type HttpSide, refusedListener } from './client-server';
import { SharedPort, type SharedPortOptions } from './shared-port';

export interface ProbeServerOptions {
  /** `host:port` to listen on. */
  readonly address: string;
  readonly scheduler: SharedPortOptions['scheduler'];
  /** Answers; it is not started, so that it has no gateway. */
  readonly http: Pick<HttpSide, 'take' | 'stop'>;
}

export class ProbeServer {
  readonly #options: ProbeServerOptions;
  readonly #port: SharedPort;

  constructor(options: ProbeServerOptions) {
    this.#options = options;
    this.#port = new SharedPort({
      scheduler: options.scheduler,
      http2: (socket) => {
        socket.destroy();
      },
      http1: (socket) => {
        options.http.take(socket);
      },
    });
  }

  /** @throws QuorateError `refused-to-start` when the address is in use or not ours */
  async listen(): Promise<void> {
    const { address } = this.#options;
    try {
      await this.#port.listen(address);
    } catch (error) {
      throw refusedListener(address, error, { field: 'metrics-listen', who: 'for probes' });
    }
  }

  async close(): Promise<void> {
    const closed = this.#port.close();
    this.#options.http.stop();
    await closed;
  }
}
