/** Calls that came through a front end, standing in for those of grpc-js: handlers see no difference. */
import { EventEmitter } from 'node:events';
import { Metadata, status } from '@grpc/grpc-js';
import { assert } from '../../base/assert';
import { owned } from './frame-reader';
import { type CallEnd, type CallError, endedWell, endOf } from './frames';
import { costOf, frontEndLimits } from './limits';

/** What a handler calls back with where there is one response. */
export type LinkedCallback = (error: CallError | null, response?: unknown) => void;

/** How a call begins. */
export interface LinkedCallOpening {
  readonly request: unknown;
  readonly metadata: Metadata;
  /** Milliseconds since 1970, or `Infinity`. */
  readonly deadline: number;
}

/** A call: what unary handlers use of one. Emits `cancelled`. */
export class LinkedCall extends EventEmitter {
  readonly request: unknown;
  readonly metadata: Metadata;
  cancelled = false;
  readonly #deadline: number;

  constructor({ request, metadata, deadline }: LinkedCallOpening) {
    super();
    this.request = request;
    this.metadata = metadata;
    this.#deadline = deadline;
  }

  getDeadline(): number {
    return this.#deadline;
  }

  /** The client has gone, or the front end it spoke to. */
  cancel(): void {
    this.cancelled = true;
    this.tell('cancelled', 'cancelled');
  }

  /** What a listener throws is a bug of the member, not a broken link: it ends where it would end without front ends. */
  protected tell(event: 'cancelled' | 'data' | 'end', what?: unknown): void {
    try {
      this.emit(event, what);
    } catch (error) {
      escape(error);
    }
  }
}

function escape(error: unknown): void {
  process.nextTick(() => {
    throw error;
  });
}

/** Where a stream's words go. */
export interface StreamExit {
  readonly deserialize: (bytes: Buffer) => unknown;
  readonly serialize: (response: unknown) => Buffer;
  message(bytes: Buffer): void;
  /** So much more of the requests was given to the handler. */
  taken(cost: number): void;
  /** Nothing follows. */
  end(how: CallEnd): void;
}

/** A call with a stream in at least one direction. Emits `data` and `end` too; `error`, emitted on it, is its status. */
export class LinkedStream extends LinkedCall {
  readonly #exit: StreamExit;
  /** Of the responses on their way, in their order. */
  readonly #sent: ((() => void) | undefined)[] = [];
  /** Requests that wait while the handler has paused: bounded by the window the front end keeps to, and one request. */
  #inbox: Buffer[] = [];
  #inboxCost = 0;
  #untoldCost = 0;
  #isPaused = false;
  #requestsHaveEnded = false;
  #isOver = false;

  constructor(opening: LinkedCallOpening, exit: StreamExit) {
    super(opening);
    this.#exit = exit;
    this.on('error', (error: CallError) => {
      this.finish(endOf(error));
    });
  }

  /** @param onSent called when the message has left the front end; never once the call is cancelled */
  write(response: unknown, onSent?: () => void): boolean {
    if (this.#isOver || this.cancelled) return false;
    let bytes: Buffer;
    try {
      bytes = this.#exit.serialize(response);
    } catch {
      this.finish(internal('Error serializing response'));
      return false;
    }
    this.#sent.push(onSent);
    this.#exit.message(bytes);
    return true;
  }

  end(): void {
    this.finish(endedWell);
  }

  /** Ends the stream, after its messages. */
  finish(how: CallEnd): void {
    if (this.#isOver || this.cancelled) return;
    this.#isOver = true;
    this.#inbox = [];
    this.#exit.end(how);
  }

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    // As Node's streams do: whoever resumes is not called back before it has finished.
    process.nextTick(this.#drain);
  }

  override cancel(): void {
    this.#inbox = [];
    super.cancel();
  }

  /** The oldest response not yet reported has left. */
  onSent(): void {
    assert(this.#sent.length > 0, 'no more responses leave than were written');
    const sent = this.#sent.shift();
    try {
      sent?.();
    } catch (error) {
      escape(error);
    }
  }

  onMessage(bytes: Buffer): void {
    assert(!this.#requestsHaveEnded, 'nothing follows the end of the requests');
    if (!this.#isPaused && this.#inbox.length === 0) {
      this.#deliver(bytes);
      return;
    }
    assert(this.#inboxCost <= frontEndLimits.requestWindow, 'a front end keeps to the window');
    this.#inbox.push(owned(bytes));
    this.#inboxCost += costOf(bytes);
  }

  onEnd(): void {
    this.#requestsHaveEnded = true;
    if (!this.#isPaused && this.#inbox.length === 0) this.tell('end');
  }

  readonly #drain = (): void => {
    while (!this.#isPaused && !this.cancelled) {
      const bytes = this.#inbox.shift();
      if (bytes === undefined) break;
      this.#inboxCost -= costOf(bytes);
      this.#deliver(bytes);
    }
    const isEnd = this.#requestsHaveEnded && this.#inbox.length === 0;
    if (isEnd && !this.#isPaused && !this.cancelled) this.tell('end');
  };

  #deliver(bytes: Buffer): void {
    if (this.#isOver) return;
    this.#tellTaken(costOf(bytes));
    let request: unknown;
    try {
      request = this.#exit.deserialize(bytes);
    } catch {
      this.finish(internal('Error deserializing request'));
      return;
    }
    this.tell('data', request);
  }

  #tellTaken(cost: number): void {
    this.#untoldCost += cost;
    if (this.#untoldCost < frontEndLimits.takenStep) return;
    this.#exit.taken(this.#untoldCost);
    this.#untoldCost = 0;
  }
}

/** What grpc-js says of a message that it cannot read or write. */
export function internal(details: string): CallEnd {
  return { code: status.INTERNAL, details, metadata: new Metadata() };
}
