/** The verbs on elections among a user's processes. They have nothing to do with the leader of the cluster. */
import { ElectionServiceService, type Leader as WireLeader, type ObserveResponse } from '../gen/quorate/v1/election';
import type { Caller } from './caller';
import { fromWireKey, toWireRead, toWireValue, wellFormed } from './convert';
import { beginHold, defaultWaitMs, takeHold, type Hold, type HoldOptions } from './hold';
import type { LeaseVerbs } from './leases';
import { ResumingStream } from './resuming-stream';
import { realSurroundings } from './surroundings';
import type { CallOptions, KeyValue, MutationOptions, ReadOptions, Value } from './types';
import { cancelling } from './watch';

/** A leadership that is held. */
export interface Leadership {
  readonly name: string;
  /** The key by which it leads: as long as it is there with this `createRevision`, it leads. */
  readonly key: string;
  /** Greater for each leader of this election; whatever a leader changes must refuse a token below the greatest seen. */
  readonly fencingToken: number;
  readonly leaseId: bigint;
  /** Aborted when the leadership was lost or may have been. Never, for a lease of the caller's own. */
  readonly signal: AbortSignal;
  /** Changes what observers are told. Rejects with `precondition-failed` when it does not lead any more. */
  proclaim(value: Value, options?: MutationOptions): Promise<{ readonly revision: number }>;
  /** Gives it up. Does not mind if it does not lead any more. */
  resign(): Promise<void>;
}

/** Who leads an election. */
export interface ElectionState {
  /** `undefined` when nobody leads. */
  readonly leader: { readonly kv: KeyValue; readonly fencingToken: number } | undefined;
  /** The revision since which it is so, or at which it was read. */
  readonly revision: number;
}

/** How to observe. */
export interface ObserveOptions extends CallOptions {
  /** How long to look for a member that goes on with it before that is an error, milliseconds. Default 600,000. */
  readonly giveUpAfterMs?: number;
}

const defaultGiveUpAfterMs = 600_000;
/** Nothing comes while nothing changes, so a member that stands still shows only now and then, by a new stream; ms. */
const maxSilenceMs = 60_000;

/** Elections: at most one leader at a time in the history of the store, in the order of the campaigns. */
export class ElectionVerbs {
  readonly #caller: Caller;
  readonly #leases: LeaseVerbs;

  constructor(caller: Caller, leases: LeaseVerbs) {
    this.#caller = caller;
    this.#leases = leases;
  }

  /**
   * Waits until the caller leads, by a lease that is kept alive until it resigns.
   *
   * @param value what observers are told, such as the leader's address
   */
  async campaign(name: string, value: Value, options: HoldOptions = {}): Promise<Leadership> {
    const { timeoutMs = defaultWaitMs } = options;
    const campaign = { name: wellFormed('name', name), value: toWireValue(value) };
    const hold = await beginHold(this.#leases, options);
    return takeHold(hold, async () => {
      const lease = { $case: 'leaseId' as const, value: hold.leaseId };
      const { key, fencingToken } = await this.#caller.mutate(
        ElectionServiceService.campaign,
        { ...options, timeoutMs, isPatient: true },
        (requestId) => ({ ...campaign, hold: lease, requestId }),
      );
      return this.#leadership(name, hold, { key, fencingToken });
    });
  }

  /** Gives a leadership up by what `campaign` gave, also in another program. @returns whether it led until now */
  async resign(key: string, fencingToken: number): Promise<boolean> {
    const request = (requestId: string) => ({ key, fencingToken, requestId });
    return (await this.#caller.mutate(ElectionServiceService.resign, {}, request)).resigned;
  }

  /** Who leads. About the past as soon as it is told. */
  async leader(name: string, options: ReadOptions = {}): Promise<ElectionState> {
    const { consistency } = toWireRead(options);
    const request = { name: wellFormed('name', name), consistency };
    return stateOf(await this.#caller.read(ElectionServiceService.getLeader, request, options));
  }

  /** Who leads, now and whenever that or the leader's value changes; whoever reads slowly is told the newest only. */
  async *observe(name: string, options: ObserveOptions = {}): AsyncGenerator<ElectionState, void, undefined> {
    const request = { name: wellFormed('name', name) };
    const open = () => this.#caller.open(ElectionServiceService.observe, request, options);
    const live = await open();
    const stream = new ResumingStream<ObserveResponse>(live, {
      open,
      maxSilenceMs,
      giveUpAfterMs: options.giveUpAfterMs ?? defaultGiveUpAfterMs,
      maxBackoffMs: this.#caller.options.maxBackoffMs,
      surroundings: realSurroundings,
    });
    const cancel = cancelling(this.#caller, stream);
    try {
      let told: ElectionState | undefined;
      for (let next = live.first ?? (await stream.next()); next !== undefined; next = await stream.next()) {
        const state = stateOf(next);
        if (told !== undefined && !isNews(state, told)) continue;
        told = state;
        yield state;
      }
    } finally {
      cancel();
    }
  }

  #leadership(name: string, hold: Hold, place: Pick<Leadership, 'key' | 'fencingToken'>): Leadership {
    return {
      name,
      ...place,
      leaseId: hold.leaseId,
      signal: hold.signal,
      proclaim: async (value, options = {}) => {
        const request = (requestId: string) => ({ ...place, value: toWireValue(value), requestId });
        return { revision: (await this.#caller.mutate(ElectionServiceService.proclaim, options, request)).revision };
      },
      resign: async () => {
        // The end of a lease that was made for it ends the leadership.
        if (!hold.isOwn) await this.resign(place.key, place.fencingToken);
        await hold.drop();
      },
    };
  }
}

function stateOf({ leader, revision }: { readonly leader: WireLeader | undefined; revision: number }): ElectionState {
  const kv = fromWireKey(leader?.kv);
  const known = leader === undefined || kv === undefined ? undefined : { kv, fencingToken: leader.fencingToken };
  return { leader: known, revision };
}

/** A new stream begins with what is; that may have been told, and another member may even be a little behind. */
function isNews(state: ElectionState, told: ElectionState): boolean {
  if (state.revision < told.revision) return false;
  return state.leader?.kv.modRevision !== told.leader?.kv.modRevision;
}
