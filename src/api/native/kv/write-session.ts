/** One `Write` stream: mutations come in, are answered in order, and are read no faster than answers are taken. */
import { assert } from '../../../base/assert';
import type { Scheduler, Timer } from '../../../base/clock';
import { QuorateError } from '../../../base/error';
import type { Mutation, MutationResult, WriteRequest, WriteResponse } from '../../../gen/quorate/v1/kv';
import { invalid } from '../../validate';

/** Bounds of one stream. */
export const writeBounds = {
  /** Most mutations in one message. */
  maxMutations: 1000,
  /** No more is read while so many mutations are unanswered. */
  maxUnanswered: 1024,
  /** Or so many bytes of them and of what they may return. */
  maxUnansweredBytes: 8 * 1024 * 1024,
  /** A batch takes no more mutations once it holds so many bytes. */
  maxBatchBytes: 256 * 1024,
  /** An answer message is sent once it holds so many bytes. */
  maxResponseBytes: 1024 * 1024,
} as const;

/** Mutations that were begun, and are done and answered together. */
export interface BegunMutations {
  readonly count: number;
  /** What they hold until they are answered, bytes. */
  readonly bytes: number;
  /** Their results or errors, in their order; never rejects. */
  readonly results: Promise<readonly MutationResult[]>;
}

/** The two halves of the stream, as the session uses them. */
export interface WritePipe {
  /** Read no more until `resume`. */
  pause(): void;
  resume(): void;
  /** Sends a message, and calls back when it has left; never, if the client is gone. */
  send(response: WriteResponse, onSent: () => void): void;
  /** Ends the stream: in order, or with an error. */
  end(failure: QuorateError | undefined): void;
}

/** What a session is made of. */
export interface WriteSessionParts {
  readonly pipe: WritePipe;
  /** Begins mutations in their order, cut into batches. */
  readonly begin: (mutations: readonly Mutation[]) => Iterable<BegunMutations>;
  readonly scheduler: Pick<Scheduler, 'after' | 'atEndOfTurn'>;
  /** A client that takes nothing for this long is given up, milliseconds. */
  readonly maxStallMs: number;
  /** Called once, when nothing more will come of this stream. */
  readonly onEnded: () => void;
}

interface Slot {
  readonly begun: BegunMutations;
  results: readonly MutationResult[] | undefined;
}

/** The state of one stream. Whoever owns the gRPC call tells it what happens. */
export class WriteSession {
  readonly #parts: WriteSessionParts;
  /** Unanswered mutations by batch, in the order of their arrival. */
  readonly #slots: Slot[] = [];
  #unanswered = 0;
  #bytes = 0;
  #isPaused = false;
  #isSending = false;
  #flushIsScheduled = false;
  /** Nothing is read any more, for this reason; answers still go out. */
  #closing: { readonly failure: QuorateError | undefined } | undefined;
  #hasEnded = false;
  #stall: Timer | undefined;

  constructor(parts: WriteSessionParts) {
    this.#parts = parts;
  }

  /** A message came. */
  receive({ mutations }: WriteRequest): void {
    if (this.#closing !== undefined) return;
    const { maxMutations } = writeBounds;
    if (mutations.length === 0 || mutations.length > maxMutations) {
      this.close(wrongCount(mutations.length));
      return;
    }
    for (const begun of this.#parts.begin(mutations)) this.#await(begun);
    this.#pace();
  }

  /** No more is read, since the client has closed its side or for the given reason. What is unanswered is answered still. */
  close(failure?: QuorateError): void {
    if (this.#closing !== undefined) return;
    this.#closing = { failure };
    this.#endIfDone();
  }

  /** The client is gone. What was begun goes on, and nobody is told. */
  abandon(): void {
    this.#finish();
  }

  #await(begun: BegunMutations): void {
    const slot: Slot = { begun, results: undefined };
    this.#slots.push(slot);
    this.#unanswered += begun.count;
    this.#bytes += begun.bytes;
    void begun.results.then((them) => {
      slot.results = them;
      if (slot === this.#slots[0]) this.#scheduleFlush();
    });
  }

  /** What is answered in one turn leaves in one message. */
  #scheduleFlush(): void {
    if (this.#flushIsScheduled || this.#isSending) return;
    this.#flushIsScheduled = true;
    this.#parts.scheduler.atEndOfTurn(() => {
      this.#flushIsScheduled = false;
      this.#flush();
    });
  }

  #flush(): void {
    if (this.#hasEnded || this.#isSending) return;
    const results = this.#takeAnswered();
    if (results.length === 0) {
      this.#endIfDone();
      return;
    }
    this.#isSending = true;
    this.#stall = this.#parts.scheduler.after(this.#parts.maxStallMs, () => {
      this.#giveUp();
    });
    this.#parts.pipe.send({ results }, () => {
      this.#stall?.cancel();
      this.#isSending = false;
      this.#pace();
      this.#flush();
    });
  }

  /** The answers that are next in order, as many as go into one message. */
  #takeAnswered(): MutationResult[] {
    const results: MutationResult[] = [];
    let bytes = 0;
    let taken = 0;
    for (const slot of this.#slots) {
      bytes += slot.begun.bytes;
      const isTooLong = bytes > writeBounds.maxResponseBytes && taken > 0;
      if (slot.results === undefined || isTooLong) break;
      results.push(...slot.results);
      taken++;
    }
    for (const { begun } of this.#slots.splice(0, taken)) {
      this.#unanswered -= begun.count;
      this.#bytes -= begun.bytes;
    }
    assert(this.#unanswered >= 0 && this.#bytes >= 0, 'no mutation is answered twice');
    return results;
  }

  /** Reads on only while there is room. */
  #pace(): void {
    const { maxUnanswered, maxUnansweredBytes } = writeBounds;
    const isFull = this.#unanswered >= maxUnanswered || this.#bytes >= maxUnansweredBytes;
    if (isFull === this.#isPaused || this.#hasEnded) return;
    this.#isPaused = isFull;
    if (isFull) this.#parts.pipe.pause();
    else this.#parts.pipe.resume();
  }

  #endIfDone(): void {
    if (this.#closing === undefined || this.#slots.length > 0 || this.#isSending || this.#hasEnded) return;
    const { failure } = this.#closing;
    this.#finish();
    this.#parts.pipe.end(failure);
  }

  #giveUp(): void {
    const { maxStallMs } = this.#parts;
    this.#finish();
    const message = `no answer was taken for ${String(maxStallMs)} ms; mutations without an answer may have been done`;
    this.#parts.pipe.end(new QuorateError('outcome-unknown', message, { outcome: 'unknown' }));
  }

  #finish(): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#stall?.cancel();
    this.#parts.onEnded();
  }
}

function wrongCount(count: number): QuorateError {
  return invalid('mutations', 'are too few or too many', {
    limit: `1 to ${String(writeBounds.maxMutations)} in one message`,
    actual: String(count),
  });
}
