/** The write stream: the fast way for much to write, with many changes on their way at once. */
import { QuorateError } from '../base/error';
import {
  KVServiceService,
  type Mutation,
  type MutationResult,
  type WriteRequest,
  type WriteResponse,
} from '../gen/quorate/v1/kv';
import type { AttemptResult } from './attempts';
import { requestIdOf, type Caller } from './caller';
import type { Endpoint } from './endpoint';
import type { MessageExchange } from './message-stream';
import {
  fromDeleteRangeResponse,
  fromDeleteResponse,
  fromPutResponse,
  toDeleteRangeRequest,
  toDeleteRequest,
  toPutRequest,
} from './mutations';
import { realScheduler, realSurroundings } from './surroundings';
import type { Condition, Operation, Transaction, TxnAnswer } from './txn';
import { fromTxnResponse, toTxnRequest } from './txn-convert';
import type {
  DeleteAnswer,
  DeleteOptions,
  DeleteRangeAnswer,
  MutationOptions,
  PutAnswer,
  PutOptions,
  Selection,
  Value,
} from './types';
import { WritePipe, type WriteExchange } from './write-pipe';
import { WriteQueue, type Footprint } from './write-queue';

/** Bounds of a write stream. */
export interface WriteStreamOptions {
  /** `ready` waits while so many changes have no answer, 1 to 100,000. Default 1000. */
  readonly maxUnanswered?: number;
  /** And while they take so many bytes, 1 or more. Default 8 MiB. */
  readonly maxUnansweredBytes?: number;
  /** Time for each change with all its attempts, milliseconds, unless it has its own. Default 60,000. */
  readonly timeoutMs?: number;
}

/** Changes beyond `maxUnanswered`, as a multiple of it, are refused: whoever gives them does not wait for `ready`. */
const refusedAt = 4;
/** A member answers or refuses each change within its own time for a request, which is less. */
const maxSilenceMs = 15_000;
/** Of the time that a timer can have: nothing is due. */
const noBoundMs = 2 ** 31 - 1;
/** What a change takes beside its keys and values, bytes, about. */
const overheadBytes = 80;

/**
 * A stream of changes. Each is answered by itself; one that fails does not hold up those behind it. Changes of the same key
 * take effect in the order in which they were given, also when they are sent again after a failure; all others may overtake
 * each other. Await `ready` before each change, so that no more are on their way than may be:
 *
 *     for (const [key, value] of entries) {
 *       await writes.ready();
 *       writes.put(key, value).catch(report);
 *     }
 *     await writes.close();
 */
export class WriteStream {
  readonly #caller: Caller;
  readonly #queue = new WriteQueue();
  readonly #pipe: WritePipe;
  readonly #maxUnanswered: number;
  readonly #maxUnansweredBytes: number;
  readonly #timeoutMs: number;
  readonly #waiters: { readonly isMet: () => boolean; readonly resolve: () => void }[] = [];
  readonly #forget: () => void;
  #lastId = 0;
  #isClosed = false;

  constructor(caller: Caller, options: WriteStreamOptions = {}) {
    this.#caller = caller;
    this.#maxUnanswered = options.maxUnanswered ?? 1_000;
    this.#maxUnansweredBytes = options.maxUnansweredBytes ?? 8 * 1024 * 1024;
    this.#timeoutMs = options.timeoutMs ?? 60_000;
    this.#pipe = new WritePipe(this.#queue, this.#pipeSettings());
    this.#forget = caller.onClose(() => {
      this.#isClosed = true;
      this.#pipe.abort();
    });
  }

  /** Changes that have no answer yet. */
  get unanswered(): number {
    return this.#queue.size;
  }

  /** When there is room for one more. */
  ready(): Promise<void> {
    return this.#when(() => this.#hasRoom());
  }

  /** When everything that was given so far, and meanwhile, has its answer. */
  flushed(): Promise<void> {
    return this.#when(() => this.#queue.size === 0);
  }

  /** Waits until everything has its answer, and ends the stream. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#pipe.close();
    await this.flushed();
    this.#forget();
  }

  /** As `QuorateClient.put`. Rejects with `overloaded` when many more than `maxUnanswered` have no answer. */
  async put(key: string, value: Value, options: PutOptions = {}): Promise<PutAnswer> {
    const request = toPutRequest({ key, value }, options, requestIdOf(options, this.#caller.requestClock));
    const result = await this.#give({ $case: 'put', value: request }, [key], options);
    if (result?.$case === 'put') return fromPutResponse(result.value);
    throw strangeAnswer();
  }

  /** As `QuorateClient.delete`. */
  async delete(key: string, options: DeleteOptions = {}): Promise<DeleteAnswer> {
    const request = toDeleteRequest(key, options, requestIdOf(options, this.#caller.requestClock));
    const result = await this.#give({ $case: 'delete', value: request }, [key], options);
    if (result?.$case === 'delete') return fromDeleteResponse(result.value);
    throw strangeAnswer();
  }

  /** As `QuorateClient.deleteRange`. Nothing else is on its way meanwhile. */
  async deleteRange(selection: Selection, options: MutationOptions = {}): Promise<DeleteRangeAnswer> {
    const request = toDeleteRangeRequest(selection, requestIdOf(options, this.#caller.requestClock));
    const result = await this.#give({ $case: 'deleteRange', value: request }, 'unknown', options);
    if (result?.$case === 'deleteRange') return fromDeleteRangeResponse(result.value);
    throw strangeAnswer();
  }

  /** As `QuorateClient.commit`. If it speaks of a prefix or a range, nothing else is on its way meanwhile. */
  async commit(transaction: Transaction, options: MutationOptions = {}): Promise<TxnAnswer> {
    const request = toTxnRequest(transaction, requestIdOf(options, this.#caller.requestClock));
    const result = await this.#give({ $case: 'txn', value: request }, footprintOf(transaction), options);
    if (result?.$case === 'txn') return fromTxnResponse(result.value);
    throw strangeAnswer();
  }

  #give(
    mutation: Exclude<Mutation['mutation'], undefined>,
    footprint: Footprint,
    options: MutationOptions,
  ): Promise<MutationResult['result']> {
    if (this.#isClosed) throw new QuorateError('invalid-argument', 'the write stream was closed');
    if (this.#queue.size >= refusedAt * this.#maxUnanswered) throw this.#overloaded();
    return new Promise((resolve, reject) => {
      this.#queue.add({
        message: { id: ++this.#lastId, mutation },
        bytes: bytesOf(mutation),
        footprint,
        kind: options.requestId === false ? 'mutation' : 'named-mutation',
        deadline: realScheduler.now() + (options.timeoutMs ?? this.#timeoutMs),
        made: 0,
        doubt: typeof options.requestId === 'string' ? 'given-id' : 'none',
        rename: (requestTimeMs) => {
          this.#caller.requestClock.set(requestTimeMs);
          mutation.value.requestId = this.#caller.requestClock.newId();
        },
        resolve: ({ result }) => {
          resolve(result);
        },
        reject,
      });
      this.#pipe.wake();
    });
  }

  #hasRoom(): boolean {
    return this.#queue.size < this.#maxUnanswered && this.#queue.bytes < this.#maxUnansweredBytes;
  }

  #when(isMet: () => boolean): Promise<void> {
    if (isMet()) return Promise.resolve();
    return new Promise((resolve) => {
      this.#waiters.push({ isMet, resolve });
    });
  }

  #overloaded(): QuorateError {
    const limit = refusedAt * this.#maxUnanswered;
    const message = `${String(limit)} changes of the write stream have no answer; await ready() before each`;
    return new QuorateError('overloaded', message, { details: { limit: `${String(limit)} changes` } });
  }

  #pipeSettings(): ConstructorParameters<typeof WritePipe>[1] {
    const { maxAttempts, maxBackoffMs } = this.#caller.options;
    return {
      open: () => openExchange(this.#caller),
      maxSilenceMs,
      timeoutMs: this.#timeoutMs,
      maxAttempts,
      maxBackoffMs,
      endpointCount: this.#caller.ring.size,
      scheduler: realScheduler,
      surroundings: realSurroundings,
      onSettled: () => {
        const met = this.#waiters.filter(({ isMet }) => isMet());
        if (met.length === 0) return;
        const left = this.#waiters.filter((waiter) => !met.includes(waiter));
        this.#waiters.splice(0, this.#waiters.length, ...left);
        for (const { resolve } of met) resolve();
      },
    };
  }
}

async function openExchange({ ring, options }: Caller): Promise<AttemptResult<WriteExchange>> {
  const endpoint = ring.current;
  const opened = await endpoint.exchange(KVServiceService.write, options.connectTimeoutMs);
  if (opened.kind === 'answer') return { kind: 'answer', answer: exchangeWith(endpoint, opened.answer, ring) };
  ring.leave(endpoint);
  return opened;
}

function exchangeWith(
  endpoint: Endpoint,
  exchange: MessageExchange<WriteRequest, WriteResponse>,
  ring: Caller['ring'],
): WriteExchange {
  return {
    send: (message) => exchange.send(message),
    onceDrained: (callback) => {
      exchange.onceDrained(callback);
    },
    end: () => {
      exchange.end();
    },
    cancel: () => {
      exchange.cancel();
    },
    next: () => exchange.next(noBoundMs),
    failureOf: (error) => endpoint.failureOf(error),
    leave: () => {
      ring.leave(endpoint);
    },
  };
}

/** The keys that a transaction reads or changes, if it names them one by one. */
export function footprintOf({ conditions, success, failure }: Transaction): Footprint {
  const parts = [...conditions.map(ofCondition), ...[...success, ...failure].map(ofOperation)];
  const keys = new Set<string>();
  for (const part of parts) {
    if (part === 'unknown') return part;
    for (const key of part) keys.add(key);
  }
  return [...keys];
}

function ofCondition({ keys }: Condition): Footprint {
  return typeof keys === 'string' ? [keys] : 'unknown';
}

function ofOperation(operation: Operation): Footprint {
  switch (operation.kind) {
    case 'put':
    case 'get':
    case 'delete':
      return [operation.key];
    case 'list':
    case 'delete-range':
      return 'unknown';
    case 'txn':
      return footprintOf(operation);
  }
}

function bytesOf(mutation: Exclude<Mutation['mutation'], undefined>): number {
  const { $case, value } = mutation;
  if ($case !== 'put') return $case === 'txn' ? KVServiceService.txn.requestSerialize(value).length : overheadBytes;
  return overheadBytes + Buffer.byteLength(value.key) + (value.value === undefined ? 0 : value.value.value.length);
}

function strangeAnswer(): QuorateError {
  const message = 'a member answered in a way that this client does not understand';
  return new QuorateError('outcome-unknown', message, { outcome: 'unknown' });
}
