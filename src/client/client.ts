/** A client of a quorate cluster: finds a member that answers, tries again where that is safe, tells how sure it is. */
import { setTimeout as sleep } from 'node:timers/promises';
import { assert } from '../base/assert';
import type { DeleteResponse, GetResponse, ListResponse, PutResponse } from '../gen/quorate/v1/kv';
import type {
  AddMemberResponse,
  ClaimMemberResponse,
  GetStatusResponse,
  ListMembersResponse,
  PromoteMemberResponse,
  RemoveMemberResponse,
  ReplaceMemberResponse,
  TransferLeadershipResponse,
  UpdateMemberResponse,
} from '../gen/quorate/v1/cluster';
import type { SnapshotRequest } from '../gen/quorate/v1/maintenance';
import { EndpointRing, makeAttempts, type AttemptBounds, type AttemptResult, type Surroundings } from './attempts';
import {
  fromWireKeyValue,
  fromWireMember,
  fromWireMembers,
  fromWireStatus,
  newestState,
  toListRequest,
  toWireConsistency,
  toWireValue,
  unconditional,
  wellFormed,
} from './convert';
import { Endpoint } from './endpoint';
import { resolveOptions, type ClientOptions, type ResolvedClientOptions } from './options';
import { errorOf } from './retry';
import { downloadOf } from './snapshot';
import type {
  CallOptions,
  DeleteAnswer,
  GetAnswer,
  ListOptions,
  ListPage,
  MemberDescription,
  MemberMove,
  MembersAnswer,
  MemberStatus,
  NewMember,
  PutAnswer,
  ReadOptions,
  SnapshotDownload,
  SnapshotOptions,
  Value,
} from './types';

const realSurroundings: Surroundings = {
  now: () => performance.now(),
  sleep: (delayMs) => sleep(delayMs),
  random: () => Math.random(),
};

/** How long a member may take to make a copy of a large database, ms. */
const defaultMaxSilenceMs = 60_000;

type AttemptOn<T> = (endpoint: Endpoint, bounds: AttemptBounds) => Promise<AttemptResult<T>>;

/**
 * A client. Safe for concurrent calls; holds one connection per endpoint it has used, so `close()` it.
 *
 * Every method rejects with a `QuorateError`. Its `outcome` says what happened to a mutation: `not-done`, it surely had
 * no effect and never will; `unknown`, it may have taken effect or may still (always with a code such as
 * `outcome-unknown`; do not repeat it blindly). For reads `outcome` is always `not-done`. Codes of every method:
 * `invalid-argument`, `no-leader`, `no-quorum`, `overloaded`, `stopping`, `deadline-exceeded`, `unreachable`. Those that
 * change the members also have `change-refused`: it makes no sense now, and repeating it is no use before something else
 * has changed.
 */
export class QuorateClient {
  readonly #options: ResolvedClientOptions;
  readonly #ring: EndpointRing<Endpoint>;
  readonly #endpoints: readonly Endpoint[];

  /** @throws QuorateError `invalid-argument` */
  constructor(options: ClientOptions) {
    this.#options = resolveOptions(options);
    const [first, ...others] = this.#options.endpoints.map((address) => new Endpoint(address));
    assert(first !== undefined, 'checked options have an endpoint');
    this.#endpoints = [first, ...others];
    this.#ring = new EndpointRing([first, ...others]);
  }

  /** Stores `value` under `key`. Durable on a majority when this resolves. Not idempotent: each put makes a revision. */
  async put(key: string, value: Value, options: CallOptions = {}): Promise<PutAnswer> {
    const request = {
      ...unconditional,
      key: wellFormed('key', key),
      value: toWireValue(value),
      expiry: undefined,
      ifAbsent: false,
    };
    return this.#mutate<PutResponse>(options, (endpoint, bounds) =>
      endpoint.call(endpoint.kv.put.bind(endpoint.kv), request, bounds),
    );
  }

  /** Reads one key. */
  async get(key: string, options: ReadOptions = {}): Promise<GetAnswer> {
    const request = { key: wellFormed('key', key), consistency: toWireConsistency(options), ...newestState };
    const response = await this.#read<GetResponse>(options, (endpoint, bounds) =>
      endpoint.call(endpoint.kv.get.bind(endpoint.kv), request, bounds),
    );
    const { kv, revision } = response;
    return { kv: kv === undefined ? undefined : fromWireKeyValue(kv), revision };
  }

  /** Removes one key, if it is there. Durable on a majority when this resolves. */
  async delete(key: string, options: CallOptions = {}): Promise<DeleteAnswer> {
    const request = { ...unconditional, key: wellFormed('key', key) };
    return this.#mutate<DeleteResponse>(options, (endpoint, bounds) =>
      endpoint.call(endpoint.kv.delete.bind(endpoint.kv), request, bounds),
    );
  }

  /**
   * Lists keys, page after page; each page is fetched when it is asked for, within a time of its own.
   *
   * Pages are read one by one, each at the revision it tells: a listing is not one snapshot.
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
    const response = await this.#read<ListResponse>(options, (endpoint, bounds) =>
      endpoint.call(endpoint.kv.list.bind(endpoint.kv), request, bounds),
    );
    return {
      kvs: response.kvs.map(fromWireKeyValue),
      nextPageToken: response.nextPageToken === '' ? undefined : response.nextPageToken,
      revision: response.revision,
    };
  }

  /** The state of the member that is in use. It answers from memory, without a quorum. */
  async status(options: CallOptions = {}): Promise<MemberStatus> {
    const response = await this.#read<GetStatusResponse>(options, (endpoint, bounds) =>
      endpoint.call(endpoint.cluster.getStatus.bind(endpoint.cluster), {}, bounds),
    );
    return fromWireStatus(response);
  }

  /** All members, as the member that is in use knows them. */
  async members(options: CallOptions = {}): Promise<MembersAnswer> {
    const response = await this.#read<ListMembersResponse>(options, (endpoint, bounds) =>
      endpoint.call(endpoint.cluster.listMembers.bind(endpoint.cluster), {}, bounds),
    );
    return fromWireMembers(response);
  }

  /**
   * Adds a member that has not started yet, as a learner; the leader makes it a voter once it has caught up, unless
   * `learner` is true. The change is in force when this resolves.
   *
   * @returns the member with its new id
   */
  async addMember(member: NewMember, options: CallOptions & { learner?: boolean } = {}): Promise<MemberDescription> {
    const { name, peerAddress, clientAddress } = member;
    const request = { name, peerAddress, clientAddress, learner: options.learner ?? false };
    const response = await this.#mutate<AddMemberResponse>(options, (endpoint, bounds) =>
      endpoint.call(endpoint.cluster.addMember.bind(endpoint.cluster), request, bounds),
    );
    return fromWireMember(response.member);
  }

  /** Removes a member, which then stops by itself. The leader may be removed: another one takes over. */
  async removeMember(name: string, options: CallOptions = {}): Promise<void> {
    await this.#mutate<RemoveMemberResponse>(options, (endpoint, bounds) =>
      endpoint.call(endpoint.cluster.removeMember.bind(endpoint.cluster), { name }, bounds),
    );
  }

  /**
   * Replaces a member, dead or alive, by one that has not started yet, in one step.
   *
   * @returns the new member with its new id, also if it bears the old name
   */
  async replaceMember(name: string, next: NewMember, options: CallOptions = {}): Promise<MemberDescription> {
    const { peerAddress, clientAddress } = next;
    const request = { name, newName: next.name, peerAddress, clientAddress };
    const response = await this.#mutate<ReplaceMemberResponse>(options, (endpoint, bounds) =>
      endpoint.call(endpoint.cluster.replaceMember.bind(endpoint.cluster), request, bounds),
    );
    return fromWireMember(response.member);
  }

  /** Makes a learner a voter. Refused until it has caught up. */
  async promoteMember(name: string, options: CallOptions = {}): Promise<void> {
    await this.#mutate<PromoteMemberResponse>(options, (endpoint, bounds) =>
      endpoint.call(endpoint.cluster.promoteMember.bind(endpoint.cluster), { name }, bounds),
    );
  }

  /** Changes where a member is reached. It keeps its id and its data. */
  async updateMember(name: string, to: MemberMove, options: CallOptions = {}): Promise<void> {
    const request = { name, peerAddress: to.peerAddress ?? '', clientAddress: to.clientAddress ?? '' };
    await this.#mutate<UpdateMemberResponse>(options, (endpoint, bounds) =>
      endpoint.call(endpoint.cluster.updateMember.bind(endpoint.cluster), request, bounds),
    );
  }

  /**
   * Takes the place of a member that was added and never started, as `quorate serve --join` does. Succeeds once: a second
   * claim is refused, so that a member without its data never comes back under its id.
   */
  async claimMember(id: bigint, options: CallOptions = {}): Promise<void> {
    await this.#mutate<ClaimMemberResponse>(options, (endpoint, bounds) =>
      endpoint.call(endpoint.cluster.claimMember.bind(endpoint.cluster), { id }, bounds),
    );
  }

  /**
   * Hands leadership over, without an interruption longer than a heartbeat or two.
   *
   * @param name the successor; by default the voter whose log is most complete
   * @returns the leader now
   */
  async transferLeadership(name = '', options: CallOptions = {}): Promise<MemberDescription> {
    const response = await this.#mutate<TransferLeadershipResponse>(options, (endpoint, bounds) =>
      endpoint.call(endpoint.cluster.transferLeadership.bind(endpoint.cluster), { name }, bounds),
    );
    return fromWireMember(response.leader);
  }

  /**
   * Begins to fetch a consistent copy of one member's database, taken without stopping writes. Put together in order, the
   * bytes are a SQLite file. Another member is tried until the first byte has come, not after.
   *
   * @throws QuorateError beside those of every method `snapshot-failed`; the iteration does too
   */
  async snapshot(options: SnapshotOptions = {}): Promise<SnapshotDownload> {
    const maxSilenceMs = options.maxSilenceMs ?? defaultMaxSilenceMs;
    const { endpoint, first, rest } = await this.#call(
      false,
      { timeoutMs: maxSilenceMs },
      async (on: Endpoint, bounds) => {
        const result = await on.open((request: SnapshotRequest) => on.maintenance.snapshot(request), {}, bounds);
        if (result.kind === 'failure') return result;
        return { kind: 'answer' as const, answer: { endpoint: on, ...result.answer } };
      },
    );
    return downloadOf(first, {
      next: () =>
        rest.next(maxSilenceMs).catch((error: unknown) => {
          throw errorOf(endpoint.failureOf(error), false);
        }),
      cancel: () => {
        rest.cancel();
      },
    });
  }

  /** Closes every connection. Attempts in flight go on to their end; after that, and for new calls, nothing is sent. */
  close(): void {
    for (const endpoint of this.#endpoints) endpoint.close();
  }

  #read<T>(options: CallOptions, attempt: AttemptOn<T>): Promise<T> {
    return this.#call(false, options, attempt);
  }

  #mutate<T>(options: CallOptions, attempt: AttemptOn<T>): Promise<T> {
    return this.#call(true, options, attempt);
  }

  #call<T>(mutation: boolean, options: CallOptions, attempt: AttemptOn<T>): Promise<T> {
    const timeoutMs = options.timeoutMs ?? this.#options.timeoutMs;
    return makeAttempts(this.#ring, { mutation, timeoutMs, attempt }, this.#options, realSurroundings);
  }
}
