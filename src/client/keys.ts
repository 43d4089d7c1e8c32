/** The verbs on keys. */
import { QuorateError } from '../base/error';
import { KVServiceService, type ListRequest, type StreamListRequest } from '../gen/quorate/v1/kv';
import type { Caller } from './caller';
import {
  fromWireEvent,
  fromWireKey,
  fromWireKeyValue,
  toWireRead,
  toWireRevisionRead,
  toWireSelection,
  wellFormed,
} from './convert';
import {
  fromDeleteRangeResponse,
  fromDeleteResponse,
  fromPutResponse,
  toDeleteRangeRequest,
  toDeleteRequest,
  toPutRequest,
} from './mutations';
import { onlyReads, TxnBuilder, type Transaction, type TxnAnswer } from './txn';
import { fromTxnResponse, toTxnRequest } from './txn-convert';
import type {
  BatchGetAnswer,
  BatchGetOptions,
  DeleteAnswer,
  DeleteOptions,
  DeleteRangeAnswer,
  GetAnswer,
  HistoryOptions,
  HistoryPage,
  KeyValue,
  ListOptions,
  ListPage,
  ListPart,
  MutationOptions,
  PutAnswer,
  PutOptions,
  RevisionReadOptions,
  Selection,
  StreamListOptions,
  Value,
} from './types';

/** Most keys in one call of BatchGet. */
const maxBatchKeys = 1_000;

/** Most time without a part of a streamed listing, ms, unless told otherwise. */
const defaultMaxSilenceMs = 60_000;

/** The verbs on keys. A change takes effect at most once, however often it is sent, unless it has no request id. */
export class KeyVerbs {
  readonly #caller: Caller;

  constructor(caller: Caller) {
    this.#caller = caller;
  }

  /** Stores `value` under `key`. Durable on a majority when this resolves. */
  async put(key: string, value: Value, options: PutOptions = {}): Promise<PutAnswer> {
    const request = (id: string) => toPutRequest({ key, value }, options, id);
    return fromPutResponse(await this.#caller.mutate(KVServiceService.put, options, request));
  }

  /** Reads one key. */
  async get(key: string, options: RevisionReadOptions = {}): Promise<GetAnswer> {
    const request = { key: wellFormed('key', key), ...toWireRevisionRead(options) };
    const { kv, revision } = await this.#caller.read(KVServiceService.get, request, options);
    return { kv: fromWireKey(kv), revision };
  }

  /** Reads any number of keys at one revision, in as many calls as it takes; each has the time of a call. */
  async batchGet(keys: readonly string[], options: BatchGetOptions = {}): Promise<BatchGetAnswer> {
    const kvs: (KeyValue | undefined)[] = [];
    let revision = options.revision;
    while (kvs.length < keys.length || revision === undefined) {
      const page = keys.slice(kvs.length, kvs.length + maxBatchKeys).map((key) => wellFormed('keys', key));
      const read = toWireRevisionRead(revision === undefined ? options : { ...options, revision });
      const request = { keys: page, keysOnly: options.keysOnly ?? false, ...read };
      const answer = await this.#caller.read(KVServiceService.batchGet, request, options);
      if (answer.results.length === 0) throw new QuorateError('unreachable', 'a member answered with none of the keys');
      kvs.push(...answer.results.map(({ kv }) => fromWireKey(kv)));
      revision ??= answer.revision;
    }
    return { kvs, revision };
  }

  /** Removes one key, if it is there. Durable on a majority when this resolves. */
  async delete(key: string, options: DeleteOptions = {}): Promise<DeleteAnswer> {
    const request = (id: string) => toDeleteRequest(key, options, id);
    return fromDeleteResponse(await this.#caller.mutate(KVServiceService.delete, options, request));
  }

  /** Removes all keys of a selection, at one revision. Durable on a majority when this resolves. */
  async deleteRange(selection: Selection, options: MutationOptions = {}): Promise<DeleteRangeAnswer> {
    const request = (id: string) => toDeleteRangeRequest(selection, id);
    return fromDeleteRangeResponse(await this.#caller.mutate(KVServiceService.deleteRange, options, request));
  }

  /** Begins a transaction; nothing happens before its `commit`. */
  txn(): TxnBuilder {
    return new TxnBuilder((transaction, options) => this.commit(transaction, options));
  }

  /** Carries out a transaction: all of it at one revision, or nothing. */
  async commit(transaction: Transaction, options: MutationOptions = {}): Promise<TxnAnswer> {
    const { txn } = KVServiceService;
    const response = onlyReads(transaction)
      ? await this.#caller.read(txn, toTxnRequest(transaction, ''), options)
      : await this.#caller.mutate(txn, options, (id) => toTxnRequest(transaction, id));
    return fromTxnResponse(response);
  }

  /**
   * Lists keys, page after page, all of them as they were at one revision: that of the first page, or the one asked for.
   * Each page is fetched when it is asked for, within a time of its own, from any member. Rejects with `compacted` when
   * the revision is compacted before the last page.
   */
  async *list(options: ListOptions = {}): AsyncGenerator<ListPage, void, undefined> {
    let pageToken: string | undefined = '';
    while (pageToken !== undefined) {
      const page: ListPage = await this.listPage(options, pageToken);
      yield page;
      pageToken = page.nextPageToken;
    }
  }

  /**
   * Lists one page.
   *
   * @param pageToken the `nextPageToken` of the page before, with the same selection; empty for the first
   */
  async listPage(options: ListOptions = {}, pageToken = ''): Promise<ListPage> {
    const request = toListRequest(options, pageToken);
    const { kvs, nextPageToken, revision } = await this.#caller.read(KVServiceService.list, request, options);
    return {
      kvs: kvs.map(fromWireKeyValue),
      nextPageToken: nextPageToken === '' ? undefined : nextPageToken,
      revision,
    };
  }

  /**
   * Lists keys in one stream, all of them as they were at one revision; the member sends as fast as they are taken.
   * Another member is tried until the first part has come, not after: `list` goes on elsewhere.
   */
  async *streamList(options: StreamListOptions = {}): AsyncGenerator<ListPart, void, undefined> {
    const { maxSilenceMs = defaultMaxSilenceMs } = options;
    const stream = await this.#caller.open(KVServiceService.streamList, toStreamListRequest(options), options);
    try {
      for (let part = stream.first; part !== undefined; part = await stream.next(maxSilenceMs)) {
        yield { kvs: part.kvs.map(fromWireKeyValue), revision: part.revision };
      }
    } finally {
      stream.cancel();
    }
  }

  /** The versions of one key that are not compacted, newest first, page after page. */
  async *history(key: string, options: HistoryOptions = {}): AsyncGenerator<HistoryPage, void, undefined> {
    let beforeRevision = options.beforeRevision ?? 0;
    for (;;) {
      const page = await this.historyPage(key, { ...options, beforeRevision });
      yield page;
      const oldest = page.events.at(-1)?.kv.modRevision;
      if (!page.more || oldest === undefined) return;
      beforeRevision = oldest;
    }
  }

  /** One page of the history of a key. */
  async historyPage(key: string, options: HistoryOptions = {}): Promise<HistoryPage> {
    const request = {
      key: wellFormed('key', key),
      limit: options.pageSize ?? 0,
      beforeRevision: options.beforeRevision ?? 0,
      keysOnly: options.keysOnly ?? false,
      ...toWireRead(options),
    };
    const { events, more, ...revisions } = await this.#caller.read(KVServiceService.getHistory, request, options);
    const { revision, compactRevision } = revisions;
    return { events: events.map(fromWireEvent), more, revision, compactRevision };
  }
}

function toListRequest(options: ListOptions, pageToken: string): ListRequest {
  const read = toWireRevisionRead(options);
  return {
    ...read,
    selection: toWireSelection(options.selection ?? { kind: 'all' }),
    pageSize: options.pageSize ?? 0,
    pageBytes: options.pageBytes ?? 0,
    pageToken,
    keysOnly: options.keysOnly ?? false,
    // A token brings its revision along.
    revision: pageToken === '' ? read.revision : 0,
  };
}

function toStreamListRequest(options: StreamListOptions): StreamListRequest {
  return {
    ...toWireRevisionRead(options),
    selection: toWireSelection(options.selection ?? { kind: 'all' }),
    keysOnly: options.keysOnly ?? false,
  };
}
