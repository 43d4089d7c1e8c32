/** Strikes with faults, each kind at its own times from its own stream of chance, and ends them. */
import type { Rng } from '../base/rng';
import type { MemberId } from '../raft';
import { faultKinds } from './faults';
import type { Fault, FaultKind, Victim } from './faults/fault';
import type { Plan } from './plan';
import { chanceFor, exponential } from './world/chance';
import type { World } from './world/world';

interface ActiveFault {
  readonly fault: Fault;
  readonly course: Course;
}

/** Begins before the fault does, since a fault may plan ahead. */
interface Course {
  hasEnded: boolean;
}

export class FaultSchedule {
  /** How many struck, by kind. */
  readonly struck = new Map<string, number>();
  /** Every single one, as `kind#number`. */
  readonly names: string[] = [];
  readonly #world: World;
  readonly #plan: Plan;
  readonly #active = new Set<ActiveFault>();
  /** Whom nothing may strike any more, not even what lies in wait. */
  readonly #spared = new Set<MemberId>();
  #isOver = false;

  constructor(world: World, plan: Plan) {
    this.#world = world;
    this.#plan = plan;
  }

  begin(): void {
    for (const kind of faultKinds) {
      const rarity = this.#plan.faults.get(kind.name);
      if (rarity === undefined) continue;
      this.#arrange(kind, chanceFor(this.#plan.seed, `fault ${kind.name}`), {
        gapMs: kind.meanGapMs * rarity,
        number: 1,
      });
    }
  }

  /** No new ones strike; what is at work goes on. */
  stop(): void {
    this.#isOver = true;
  }

  /** Ends what strikes any of these members; whatever lies in wait passes them by. */
  endFor(members: ReadonlySet<MemberId>): void {
    for (const id of members) this.#spared.add(id);
    for (const active of this.#active) {
      if (active.fault.members.some((id) => members.has(id))) this.#end(active);
    }
  }

  #arrange(kind: FaultKind, rng: Rng, { gapMs, number }: { readonly gapMs: number; readonly number: number }): void {
    this.#world.agenda.after(exponential(rng, gapMs), () => {
      if (this.#isOver) return;
      this.#strike(kind, { name: `${kind.name}#${number}`, seed: rng.nextUint32() });
      this.#arrange(kind, rng, { gapMs, number: number + 1 });
    });
  }

  /** Each single fault has a stream of its own too: leaving one out changes nothing in the next. */
  #strike(kind: FaultKind, { name, seed }: { readonly name: string; readonly seed: number }): void {
    if (this.#plan.without.has(name)) return;
    const course: Course = { hasEnded: false };
    const fault = kind.strike(this.#victim(course), chanceFor(seed, name));
    if (fault === undefined) return;
    const active = { fault, course };
    this.names.push(name);
    this.struck.set(kind.name, (this.struck.get(kind.name) ?? 0) + 1);
    this.#world.note('fault', undefined, `FAULT ${name}: ${fault.what}, for ${fault.lastsMs} ms`);
    this.#active.add(active);
    this.#world.agenda.after(fault.lastsMs, () => this.#end(active));
  }

  #victim(course: Course): Victim {
    const world = this.#world;
    return {
      get members() {
        return world.present;
      },
      network: world.network,
      get leader() {
        return world.leader;
      },
      maySacrifice: (member) => world.maySacrifice(member),
      later: (delayMs, run) => void world.agenda.after(delayMs, run),
      restart: (member) => world.restart(member),
      atNext: (moment, run) => {
        world.moments.atNext(moment, (member) => {
          if (!course.hasEnded && !this.#spared.has(member.id)) run(member);
        });
      },
      after: (delayMs, run) => {
        world.agenda.after(delayMs, () => {
          if (!course.hasEnded) run();
        });
      },
    };
  }

  #end(active: ActiveFault): void {
    if (active.course.hasEnded) return;
    active.course.hasEnded = true;
    this.#active.delete(active);
    active.fault.end();
    if (active.fault.lastsMs > 0) this.#world.note('fault', undefined, `ended: ${active.fault.what}`);
  }
}
