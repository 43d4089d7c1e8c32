/** A stream of messages that is opened again, on another member, when it breaks. */
import { QuorateError } from '../base/error';
import type { Surroundings } from './attempts';
import type { LiveStream } from './caller';
import { backoff, mayResume } from './retry';

/** How to open it, and how long to try. */
export interface ResumeSettings<Message> {
  /**
   * Opens the stream so that it goes on after the last message that was taken.
   *
   * @throws QuorateError
   */
  readonly open: () => Promise<LiveStream<Message>>;
  /** Most time without a message before the member counts as lost, milliseconds. */
  readonly maxSilenceMs: number;
  /** Most time without a stream before that is an error, milliseconds. */
  readonly giveUpAfterMs: number;
  /** Largest pause between two attempts to open it, milliseconds. */
  readonly maxBackoffMs: number;
  readonly surroundings: Surroundings;
}

/** A stream that held for so long was no failure: the next one is opened at once. */
const steadyMs = 5_000;

/** Takes one message at a time, for one reader. Breaks show only as time. */
export class ResumingStream<Message> {
  readonly #settings: ResumeSettings<Message>;
  // Its first message was taken.
  #live: LiveStream<Message> | undefined;
  #isCancelled = false;
  #openedAt: number;
  // Since a stream that held for a while.
  #breaks = 0;
  // Since when no member gave a stream; `undefined` while one does.
  #brokenAt: number | undefined;

  /** @param live the stream it begins with, whose first message the caller takes */
  constructor(live: LiveStream<Message>, settings: ResumeSettings<Message>) {
    this.#live = live;
    this.#settings = settings;
    this.#openedAt = settings.surroundings.now();
  }

  /**
   * The next message; `undefined` once it was cancelled.
   *
   * @throws QuorateError when the stream cannot go on, or nobody gave one for too long
   */
  async next(): Promise<Message | undefined> {
    while (!this.#wasCancelled()) {
      try {
        const message =
          this.#live === undefined ? await this.#open() : await this.#live.next(this.#settings.maxSilenceMs);
        if (message !== undefined) return this.#wasCancelled() ? undefined : message;
        await this.#pause(new QuorateError('unreachable', 'the member ended the stream'));
      } catch (error) {
        if (this.#wasCancelled()) return undefined;
        if (!(error instanceof QuorateError) || !mayResume(error)) throw error;
        await this.#pause(error);
      }
    }
    return undefined;
  }

  /** Ends it; whoever waits for a message is told. */
  cancel(): void {
    this.#isCancelled = true;
    this.#live?.cancel();
  }

  /** A question, since the answer changes while something is awaited. */
  #wasCancelled(): boolean {
    return this.#isCancelled;
  }

  async #open(): Promise<Message | undefined> {
    const live = await this.#settings.open();
    this.#live = live;
    this.#openedAt = this.#settings.surroundings.now();
    if (this.#isCancelled) live.cancel();
    if (live.first !== undefined) this.#brokenAt = undefined;
    return live.first;
  }

  /** Waits before the next attempt: not at all after the first break. */
  async #pause(error: QuorateError): Promise<void> {
    const { surroundings, giveUpAfterMs, maxBackoffMs } = this.#settings;
    if (this.#live !== undefined && surroundings.now() - this.#openedAt >= steadyMs) this.#breaks = 0;
    this.#live?.cancel();
    this.#live?.leave();
    this.#live = undefined;
    this.#brokenAt ??= surroundings.now();
    if (surroundings.now() - this.#brokenAt >= giveUpAfterMs) throw error;
    this.#breaks++;
    if (this.#breaks > 1) await surroundings.sleep(backoff(this.#breaks - 1, maxBackoffMs, surroundings.random()));
  }
}
