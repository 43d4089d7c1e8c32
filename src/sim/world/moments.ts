/** Moments in the life of a member at which faults lie in wait. */
import type { SimMember } from './member';

/** In the order of a snapshot's way from one member to another. */
export const moments = [
  'copied',
  'part arrives',
  'log is to be replaced',
  'log is replaced',
  'state is replaced',
] as const;
export type Moment = (typeof moments)[number];

export class Moments {
  readonly #waiting = new Map<Moment, ((member: SimMember) => void)[]>();

  /** Calls once, at the next such moment. */
  atNext(moment: Moment, run: (member: SimMember) => void): void {
    this.#waiting.set(moment, [...(this.#waiting.get(moment) ?? []), run]);
  }

  happens(moment: Moment, member: SimMember): void {
    const waiting = this.#waiting.get(moment);
    if (waiting === undefined) return;
    this.#waiting.delete(moment);
    for (const run of waiting) run(member);
  }
}
