/** Sends the changes of a write stream and takes their answers, over as many connections as it takes. */
import type { Scheduler, Timer } from '../base/clock';
import type { QuorateError } from '../base/error';
import type { MutationResult, WriteRequest, WriteResponse } from '../gen/quorate/v1/kv';
import type { AttemptResult, Surroundings } from './attempts';
import { decodeStatus, type Failure } from './failure';
import { backoff, decide, errorOf, isIdOutOfTime, leavesDoubt } from './retry';
import type { Write, WriteQueue } from './write-queue';

/** A stream to some member. */
export interface WriteExchange {
  send(message: WriteRequest): boolean;
  onceDrained(callback: () => void): void;
  end(): void;
  cancel(): void;
  /** The next answers; `undefined` after the last. Rejects when the stream breaks; `failureOf` tells how. */
  next(): Promise<WriteResponse | undefined>;
  failureOf(error: unknown): Failure;
  /** The member is no good any more: the next stream goes to another. */
  leave(): void;
}

/** What the pipe needs. */
export interface PipeSettings {
  /** Opens a stream to the member in use. When that fails, the next one is another's. */
  readonly open: () => Promise<AttemptResult<WriteExchange>>;
  /** Most time without an answer while some are due, milliseconds. */
  readonly maxSilenceMs: number;
  readonly timeoutMs: number;
  readonly maxAttempts: number;
  readonly maxBackoffMs: number;
  readonly endpointCount: number;
  readonly scheduler: Scheduler;
  readonly surroundings: Surroundings;
  /** Told whenever a change has its answer. */
  readonly onSettled: () => void;
}

/** What goes into one message. */
const messageBounds = { maxWrites: 200, maxBytes: 512 * 1024 };

/** How late a change may be told that its time is over, milliseconds. */
const latenessMs = 250;
const tooLate = {
  ...({ kind: 'told', code: 'deadline-exceeded', outcome: 'not-done', details: {} } as const),
  message: 'its time was over before it could be sent',
};

/** Carries what is in the queue, until it is closed. */
export class WritePipe {
  readonly #queue: WriteQueue;
  readonly #settings: PipeSettings;
  #exchange: WriteExchange | undefined;
  #isRunning = false;
  #isClosing = false;
  #willPump = false;
  // The member does not take more just now, or asked for patience.
  #isBlocked = false;
  #pause: Timer | undefined;
  #watchdog: Timer | undefined;
  #lateness: Timer | undefined;
  #failures = 0;

  constructor(queue: WriteQueue, settings: PipeSettings) {
    this.#queue = queue;
    this.#settings = settings;
  }

  /** Something was put into the queue: sends it at the end of this turn, with whatever else comes until then. */
  wake(): void {
    if (!this.#isRunning) void this.#run();
    this.#watchLateness();
    if (this.#willPump) return;
    this.#willPump = true;
    this.#settings.scheduler.atEndOfTurn(() => {
      this.#willPump = false;
      this.#pump();
    });
  }

  /** Nothing more will come; ends the stream when all is answered. */
  close(): void {
    this.#isClosing = true;
    this.#endIfDone();
  }

  /** Ends the stream now: everything without an answer is told so. */
  abort(): void {
    this.#isClosing = true;
    this.#pause?.cancel();
    const failure = { kind: 'not-connected', address: 'any member', message: 'the write stream was closed' } as const;
    for (const write of this.#queue.recall()) this.#giveUp(write, errorOf(failure, write.kind, 'attempted'));
    for (const write of this.#queue.removeLate(Infinity))
      this.#giveUp(write, errorOf(failure, write.kind, write.doubt));
    this.#exchange?.cancel();
  }

  async #run(): Promise<void> {
    this.#isRunning = true;
    while (this.#queue.size > 0) {
      const opened = await this.#settings.open();
      if (opened.kind === 'failure') {
        await this.#couldNotOpen(opened.failure);
        continue;
      }
      await this.#carry(opened.answer);
    }
    this.#isRunning = false;
  }

  async #couldNotOpen(failure: Failure): Promise<void> {
    this.#failures++;
    const { surroundings, maxBackoffMs, endpointCount } = this.#settings;
    this.#giveUpLate(failure);
    if (this.#failures % endpointCount !== 0) return;
    await surroundings.sleep(backoff(this.#failures, maxBackoffMs, surroundings.random()));
  }

  /** Uses one stream until it ends or breaks. */
  async #carry(exchange: WriteExchange): Promise<void> {
    this.#exchange = exchange;
    this.#isBlocked = false;
    this.#pump();
    this.#watchLateness();
    let failure: Failure = { kind: 'bare', address: '', grpcCode: unavailable, message: 'the member ended the stream' };
    try {
      for (let answer = await exchange.next(); answer !== undefined; answer = await exchange.next()) this.#take(answer);
    } catch (error) {
      failure = exchange.failureOf(error);
    }
    this.#exchange = undefined;
    this.#watchdog?.cancel();
    this.#lateness?.cancel();
    this.#lateness = undefined;
    exchange.cancel();
    const recalled = this.#queue.recall();
    if (recalled.length > 0 || !this.#isClosing) exchange.leave();
    this.#failures++;
    this.#failed(recalled, failure);
  }

  #take({ results }: WriteResponse): void {
    this.#failures = 0;
    for (const result of results) {
      const write = this.#queue.answered(result.id);
      if (write !== undefined) this.#settle(write, result);
    }
    this.#watch();
    this.#pump();
    this.#endIfDone();
  }

  #settle(write: Write, result: MutationResult): void {
    if (result.result?.$case !== 'error') {
      write.resolve(result);
      this.#settings.onSettled();
      return;
    }
    const status = result.result.value;
    const failure = decodeStatus(status) ?? {
      ...({ kind: 'bare', address: 'the member', grpcCode: status.code } as const),
      message: status.message,
    };
    this.#failed([write], failure);
  }

  /** Puts back what may be sent again, before all others; the rest is told. */
  #failed(writes: readonly Write[], failure: Failure): void {
    const { surroundings, maxBackoffMs, maxAttempts, timeoutMs, endpointCount } = this.#settings;
    const again: Write[] = [];
    let delayMs = 0;
    for (const write of writes) {
      write.made++;
      if (isIdOutOfTime(failure, write.doubt) && write.kind === 'named-mutation' && write.made < maxAttempts) {
        write.rename(failure.details.requestTimeMs);
        again.push(write);
        continue;
      }
      const decision = decide(failure, {
        ...{ kind: write.kind, doubt: write.doubt, made: write.made, maxAttempts, timeoutMs, endpointCount },
        remainingMs: write.deadline - surroundings.now(),
        backoffMs: backoff(write.made, maxBackoffMs, surroundings.random()),
      });
      if (decision.kind === 'give-up') {
        this.#giveUp(write, decision.error);
        continue;
      }
      if (leavesDoubt(failure, write.kind)) write.doubt = 'attempted';
      again.push(write);
      delayMs = Math.max(delayMs, decision.delayMs);
    }
    this.#queue.putBack(again);
    if (again.length > 0) this.#pauseFor(delayMs);
  }

  #giveUp(write: Write, error: QuorateError): void {
    write.reject(error);
    this.#settings.onSettled();
  }

  /** What one change was refused for passes, and concerns all. */
  #pauseFor(delayMs: number): void {
    this.#pause?.cancel();
    this.#pause = this.#settings.scheduler.after(delayMs, () => {
      this.#pause = undefined;
      this.#pump();
    });
  }

  #pump(): void {
    const exchange = this.#exchange;
    if (exchange === undefined || this.#pause !== undefined) return;
    while (!this.#isBlocked) {
      const writes = this.#queue.take(messageBounds);
      if (writes.length === 0) return;
      if (this.#watchdog === undefined) this.#watch();
      if (exchange.send({ mutations: writes.map(({ message }) => message) })) continue;
      this.#isBlocked = true;
      exchange.onceDrained(() => {
        if (this.#exchange !== exchange) return;
        this.#isBlocked = false;
        this.#pump();
      });
    }
  }

  /** A member that owes answers and says nothing is as good as lost. */
  #watch(): void {
    this.#watchdog?.cancel();
    this.#watchdog = undefined;
    if (this.#queue.size === 0) {
      this.#lateness?.cancel();
      this.#lateness = undefined;
    }
    if (this.#queue.sentCount === 0) return;
    this.#watchdog = this.#settings.scheduler.after(this.#settings.maxSilenceMs, () => {
      this.#exchange?.cancel();
    });
  }

  /** A change has no longer than its time, whether it waits behind another or its member owes it an answer. */
  #watchLateness(): void {
    if (this.#exchange === undefined || this.#lateness !== undefined || this.#queue.size === 0) return;
    this.#lateness = this.#settings.scheduler.after(latenessMs, () => {
      this.#lateness = undefined;
      this.#giveUpLate(tooLate);
      if (this.#queue.owesLate(this.#settings.surroundings.now())) this.#exchange?.cancel();
      this.#watchLateness();
    });
  }

  /** Tells those that wait and whose time is over. */
  #giveUpLate(failure: Failure): void {
    for (const write of this.#queue.removeLate(this.#settings.surroundings.now())) {
      this.#giveUp(write, errorOf(failure, write.kind, write.doubt));
    }
  }

  #endIfDone(): void {
    if (this.#isClosing && this.#queue.size === 0) this.#exchange?.end();
  }
}

/** gRPC's status UNAVAILABLE. */
const unavailable = 14;
