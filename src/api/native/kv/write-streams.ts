/** The `Write` streams of one member: their number, their end when the member stops, and gRPC's side of them. */
import type { handleBidiStreamingCall, ServerDuplexStream } from '@grpc/grpc-js';
import type { Scheduler } from '../../../base/clock';
import { QuorateError } from '../../../base/error';
import type { WriteRequest, WriteResponse } from '../../../gen/quorate/v1/kv';
import { stopping } from '../../call-ends';
import { readable, type UnaryCalls } from '../../unary-calls';
import { type WritePipe, WriteSession, type WriteSessionParts } from './write-session';

/** Bounds of all streams together. */
export const writeStreamLimits = { maxStreams: 1000, maxStallMs: 60_000 } as const;

/** What the streams of one member share. */
export interface WriteStreamsOptions {
  /** The funnel for errors. */
  readonly calls: Pick<UnaryCalls, 'statusOf'>;
  readonly scheduler: Pick<Scheduler, 'after' | 'atEndOfTurn'>;
  readonly begin: WriteSessionParts['begin'];
  readonly maxStreams: number;
  readonly maxStallMs: number;
}

type Call = ServerDuplexStream<WriteRequest, WriteResponse>;

/** Runs a session for each stream. */
export class WriteStreams {
  readonly #options: WriteStreamsOptions;
  readonly #open = new Set<WriteSession>();
  readonly #idle: (() => void)[] = [];
  #isStopping = false;

  constructor(options: WriteStreamsOptions) {
    this.#options = options;
  }

  /** The gRPC handler. */
  readonly handler: handleBidiStreamingCall<WriteRequest, WriteResponse> = (call) => {
    const refusal = this.#refusal();
    if (refusal !== undefined) this.#fail(call, refusal);
    else this.#run(call);
  };

  /** Reads no more mutations, answers those that were read, ends all streams with `stopping`. Returns when none is left. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    for (const session of [...this.#open]) session.close(stopping());
    if (this.#open.size > 0) await new Promise<void>((resolve) => this.#idle.push(resolve));
  }

  #run(call: Call): void {
    const { begin, scheduler, maxStallMs } = this.#options;
    const session = new WriteSession({
      pipe: this.#pipeOf(call),
      begin,
      scheduler,
      maxStallMs,
      onEnded: () => {
        this.#open.delete(session);
        if (this.#open.size === 0) for (const resolve of this.#idle.splice(0)) resolve();
      },
    });
    this.#open.add(session);
    call.on('data', (request: WriteRequest) => {
      receive(session, request);
    });
    call.on('end', () => {
      session.close();
    });
    call.on('cancelled', () => {
      session.abandon();
    });
  }

  #pipeOf(call: Call): WritePipe {
    return {
      pause: () => call.pause(),
      resume: () => call.resume(),
      send: (response, onSent) => call.write(response, onSent),
      end: (failure) => {
        if (failure === undefined) call.end();
        else this.#fail(call, failure);
      },
    };
  }

  /** This is how grpc-js wants to be told of the status of a stream. */
  #fail(call: Call, error: QuorateError): void {
    call.emit('error', this.#options.calls.statusOf(error));
  }

  #refusal(): QuorateError | undefined {
    if (this.#isStopping) return stopping();
    if (this.#open.size < this.#options.maxStreams) return undefined;
    const limit = `${String(this.#options.maxStreams)} at a time`;
    return new QuorateError('overloaded', `this member reads as many Write streams as it may: ${limit}`, {
      details: { limit, actual: `${String(this.#open.size)} open` },
    });
  }
}

function receive(session: WriteSession, request: WriteRequest): void {
  try {
    session.receive(readable(request));
  } catch (error) {
    if (!(error instanceof QuorateError)) throw error;
    session.close(error);
  }
}
