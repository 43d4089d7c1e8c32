/** Locks and elections of one member, with what carries their calls: the same ones for both APIs. */
import { ServerStreams } from '../server-streams';
import type { UnaryCalls } from '../unary-calls';
import { WaitingCalls } from '../waiting-calls';
import { recipeLimits, type RecipeDependencies } from './dependencies';
import { Elections } from './elections';
import { Locks } from './locks';

/** What the services of both APIs share. */
export interface Recipes {
  readonly locks: Locks;
  readonly elections: Elections;
  /** For calls that wait for a lock, or to be elected. */
  readonly waiting: WaitingCalls;
  /** For those who follow an election. */
  readonly observers: ServerStreams;
}

export function recipesOf(member: RecipeDependencies, calls: UnaryCalls): Recipes {
  const { maxWaiting, maxObservers, maxStallMs } = recipeLimits;
  const { scheduler } = member;
  return {
    locks: new Locks(member),
    elections: new Elections(member),
    waiting: new WaitingCalls({ calls, maxWaiting }),
    observers: new ServerStreams({ calls, scheduler, maxStreams: maxObservers, maxStallMs }),
  };
}
