/** The messages of a stream, taken one at a time: nothing is read far ahead of whoever uses them. */
import type { ClientDuplexStream, ClientReadableStream } from '@grpc/grpc-js';

/** Why a stream ended that the member neither ended nor refused: nothing came for too long. */
export class SilenceError extends Error {
  override readonly name = 'SilenceError';
}

/** A stream under way. (gRPC itself holds up to 16 messages more.) */
export class MessageStream<Message> {
  readonly #call: ClientReadableStream<Message>;
  readonly #iterator: AsyncIterator<Message, undefined>;

  constructor(call: ClientReadableStream<Message>) {
    this.#call = call;
    // Whoever waits is told by the iterator; an error nobody waits for any more must not end the process.
    call.on('error', () => undefined);
    this.#iterator = call.iterator({ destroyOnReturn: false }) as AsyncIterator<Message, undefined>;
  }

  /**
   * The next message; `undefined` after the last.
   *
   * @throws SilenceError when nothing comes within `maxSilenceMs`; ServiceError as the member or gRPC made it
   */
  async next(maxSilenceMs: number): Promise<Message | undefined> {
    let silence: SilenceError | undefined;
    const timer = setTimeout(() => {
      silence = new SilenceError(`nothing came for ${String(maxSilenceMs)} ms`);
      this.cancel();
    }, maxSilenceMs);
    try {
      return (await this.#iterator.next()).value;
    } catch (error) {
      throw silence ?? error;
    } finally {
      clearTimeout(timer);
    }
  }

  /** Nothing more is wanted. Harmless after the end. */
  cancel(): void {
    // Not at once: a call that is cancelled inside one of its own events can hang on Node 20.
    setImmediate(() => {
      this.#call.cancel();
    });
  }
}

/** A stream in both directions. */
export class MessageExchange<Request, Message> extends MessageStream<Message> {
  readonly #call: ClientDuplexStream<Request, Message>;

  constructor(call: ClientDuplexStream<Request, Message>) {
    super(call);
    this.#call = call;
  }

  /** Sends a message; what becomes of it, the messages that come tell. Returns false when the next should wait. */
  send(message: Request): boolean {
    return this.#call.write(message);
  }

  /** Calls back when more can be sent, after `send` returned false; never if the stream ends before. */
  onceDrained(callback: () => void): void {
    this.#call.once('drain', callback);
  }

  /** Nothing more will be sent. */
  end(): void {
    this.#call.end();
  }
}
