/** Makes calls and writes down what became of them, also to a file of JSON lines. */
import { createWriteStream, type WriteStream } from 'node:fs';
import { QuorateError } from '../../../src/client';
import { isMutation, type CallOutcome } from '../../../src/sim/workload/call';
import { toLine, type RecordedCall } from './recorded-call';
import type { Drawn } from './workload';
import type { Surface } from './surface';

/** What a call is begun with. */
interface Caller {
  readonly client: number;
  readonly surface: Surface;
}

export class Recorder {
  readonly calls: RecordedCall[] = [];
  readonly #file: WriteStream;
  #newestRevision = 1;

  constructor(path: string) {
    this.#file = createWriteStream(path);
  }

  /** The newest revision that anybody was told of. */
  get newestRevision(): number {
    return this.#newestRevision;
  }

  now(): number {
    return performance.now();
  }

  /** An event beside the calls, such as a fault. */
  note(event: string, member: string): void {
    this.#file.write(`${toLine({ event, member, at: this.now() })}\n`);
  }

  /** Makes one call. @returns it, when it has ended; it rejects only for what is no answer at all */
  async make({ kind, operation, ...hints }: Drawn, { client, surface }: Caller): Promise<RecordedCall> {
    const invokedAt = this.now();
    const call: RecordedCall = {
      ...{ id: this.calls.length, client, kind, api: surface.api, members: surface.members, operation, deadlineMs: 0 },
      ...{ invokedAt, invokedAtMs: invokedAt, returnedAt: Infinity, outcome: 'open', answer: undefined },
      ...{ error: undefined, ...(hints.minRevision === undefined ? {} : { minRevision: hints.minRevision }) },
    };
    this.calls.push(call);
    try {
      const { answer, lease } = await surface.make({ kind, operation, ...hints });
      call.answer = answer;
      if (lease !== undefined) call.lease = lease;
      this.#end(call, 'ok');
      this.#newestRevision = Math.max(this.#newestRevision, answer?.revision ?? 0);
    } catch (error) {
      if (!(error instanceof QuorateError)) throw error;
      call.error = error.code;
      if (error.code === 'precondition-failed') call.found = foundBy(error);
      const isDoubtful = isMutation(operation) && error.outcome === 'unknown';
      this.#end(call, isDoubtful ? 'ambiguous' : 'definite');
    }
    return call;
  }

  async close(): Promise<void> {
    await new Promise<void>((resolve) => this.#file.end(resolve));
  }

  #end(call: RecordedCall, outcome: CallOutcome): void {
    call.outcome = outcome;
    // Of what nobody knows the outcome of, nobody knows when it takes effect.
    call.returnedAt = outcome === 'ambiguous' ? Infinity : this.now();
    this.#file.write(`${toLine(call)}\n`);
  }
}

/** The revision of the key that the message of a condition that did not hold names. */
function foundBy({ details }: QuorateError): number {
  return Number(/mod_revision is (\d+)/.exec(details.actual ?? '')?.[1] ?? 0);
}
