/** Alarms: raised, listed, and cleared again after a while in which calls of all kinds are refused or not. */
import { between } from '../../../src/base/rng';
import { AlarmRequest, StatusRequest } from '../../../src/gen/etcd/etcdserverpb/maintenance';
import { chance, pick, weighted, type World } from './chance';
import { type Call, request } from './step';

const { NONE, NOSPACE, CORRUPT } = { NONE: 0, NOSPACE: 1, CORRUPT: 2 } as const;
const { GET, ACTIVATE, DEACTIVATE } = { GET: 0, ACTIVATE: 1, DEACTIVATE: 2 } as const;

/** No member's, and any number: the servers take what they are given. */
const memberIds = [0n, 1n, 77n, 2n ** 63n, 2n ** 64n - 1n] as const;

/** An episode lasts so many batches, at most. */
const longestBatches = 25;

/**
 * The alarms of one kind that stand. Not of both: when one is cleared, etcd 3.4 forgets what the other one forbids, although it
 * still lists it. Nor of kind `NONE`, which etcd lists, and which means nothing.
 */
export class AlarmEpisode {
  readonly #world: World;
  readonly #kind: number;
  readonly #standing = new Set<bigint>();
  #batchesLeft: number;

  private constructor(world: World) {
    this.#world = world;
    this.#kind = pick(world, [NOSPACE, NOSPACE, CORRUPT]);
    this.#batchesLeft = between(world.rng, 1, longestBatches);
  }

  /** @returns the episode, and how it begins */
  static begin(world: World): readonly [AlarmEpisode, Call] {
    const episode = new AlarmEpisode(world);
    return [episode, episode.#raise()];
  }

  /** Something about alarms, or `undefined` for any other steps than such as need that nothing is refused. */
  next(): Call | undefined {
    this.#batchesLeft--;
    if (this.#batchesLeft < 0) return this.clearOne();
    return chance(this.#world, 40) ? this.#look() : undefined;
  }

  clearOne(): Call {
    const [first] = this.#standing;
    return this.#clear(first ?? 0n);
  }

  /** Every alarm is cleared. */
  get isOver(): boolean {
    return this.#standing.size === 0;
  }

  #look(): Call {
    const world = this.#world;
    return weighted<() => Call>(world, [
      [3, () => someAlarmList(world)],
      [2, () => statusCall],
      [1, () => this.#raise()],
      [1, () => this.#clear(pick(world, memberIds))],
      [1, () => alarmCall(DEACTIVATE, pick(world, memberIds), this.#kind === CORRUPT ? NOSPACE : CORRUPT)],
    ])();
  }

  #raise(): Call {
    const memberId = pick(this.#world, memberIds);
    this.#standing.add(memberId);
    return alarmCall(ACTIVATE, memberId, this.#kind);
  }

  #clear(memberId: bigint): Call {
    this.#standing.delete(memberId);
    return alarmCall(DEACTIVATE, memberId, this.#kind);
  }
}

/** All alarms, or those of a kind; whoever it is asked about. */
export function someAlarmList(world: World): Call {
  return alarmCall(GET, pick(world, memberIds), pick(world, [NONE, NOSPACE, CORRUPT]));
}

export const statusCall: Call = { kind: 'call', method: 'status', request: request(StatusRequest, {}) };

function alarmCall(action: number, memberID: bigint, alarm: number): Call {
  const fields = { action, memberID, alarm } as Partial<AlarmRequest>;
  return { kind: 'call', method: 'alarm', request: request(AlarmRequest, fields) };
}
