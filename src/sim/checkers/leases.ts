/** E1: whoever was told how long a lease lasts finds it there for so long. E3: and not for ever. */
import type { PlainCommand } from '../../kv/command';
import type { Entry } from '../../raft';
import type { Answer, Call } from '../workload/call';
import { check, type Checker } from './checker';
import type { ModelChecker } from './model';

export interface LeaseCheckerOptions {
  /** The time of the world. */
  readonly now: () => number;
  /** How much faster or slower than the world a member's clock may run, as a fraction. */
  readonly maxDriftRate: number;
  /** Clocks jump in this seed: then nobody can measure time. */
  readonly clocksJump: boolean;
}

/** What clocks round. */
const slackMs = 10;

/** One lease, from its grant to its end. */
type Name = string;

export class LeaseChecker implements Checker {
  readonly names = ['E1', 'E3'];
  expiries = 0;
  /** Promises to holders. */
  promises = 0;
  readonly #model: ModelChecker;
  readonly #options: LeaseCheckerOptions;
  /** Until when each must live, by the time of the world. */
  readonly #promised = new Map<Name, number>();
  /** When each expired. */
  readonly #expired = new Map<Name, number>();

  constructor(model: ModelChecker, options: LeaseCheckerOptions) {
    this.#model = model;
    this.#options = options;
  }

  /** After the model has seen the entry. */
  committed({ index }: Entry): void {
    const { doings, after } = this.#model.outcomeAt(index);
    if (!doings.some(({ command }) => command.kind === 'lease-expire')) return;
    const now = this.#options.now();
    for (const [id, { grantIndex }] of this.#model.instantAt(index - 1).leases) {
      // One that its holder revokes in the same entry was not taken from anybody.
      if (after.leases.has(id) || doings.some(({ command }) => isRevocation(command, id))) continue;
      const name = nameOf(id, grantIndex);
      this.expiries++;
      this.#expired.set(name, now);
      this.#checkPromise(name, now);
    }
  }

  /** A member tells a client of a lease. @param index of the entry that granted or renewed it */
  answered(call: Call, answer: Answer, index: number): void {
    const { operation } = call;
    if ('promised' in answer && operation.kind === 'mutation' && operation.command.kind === 'lease-grant') {
      this.#promise(call, { id: operation.command.id, ttl: answer.promised, index });
    }
    if (answer.kind === 'renewal' && call.operation.kind === 'renew' && answer.ttl !== undefined) {
      this.#promise(call, { id: call.operation.lease, ttl: answer.ttl, index });
    }
  }

  /** E3: long after the last renewal nothing is left. */
  checkNoneLeft(): void {
    const left = [...this.#model.store.leases.keys()];
    check(left.length === 0, 'E3', () => `the leases ${left.join(', ')} do not expire`);
  }

  #promise(
    call: Call,
    { id, ttl, index }: { readonly id: bigint; readonly ttl: number; readonly index: number },
  ): void {
    const { now, maxDriftRate: drift } = this.#options;
    const { doings, after } = this.#model.outcomeAt(index);
    const grantIndex = after.leases.get(id)?.grantIndex;
    // If the same entry revokes it, one that is there afterwards may be another, with another time to live.
    if (grantIndex === undefined || doings.some(({ command }) => isRevocation(command, id))) return;
    const name = nameOf(id, grantIndex);
    // A leader with a fast clock; and a member with a slow one, which believes that it was quick.
    const tookMs = now() - call.invokedAtMs;
    const until = now() + (ttl * 1000) / (1 + drift) - (tookMs * 2 * drift) / (1 - drift ** 2) - slackMs;
    this.promises++;
    this.#promised.set(name, Math.max(until, this.#promised.get(name) ?? 0));
    const expiredAt = this.#expired.get(name);
    if (expiredAt !== undefined) this.#checkPromise(name, expiredAt);
  }

  #checkPromise(name: Name, expiredAt: number): void {
    const until = this.#promised.get(name) ?? 0;
    if (this.#options.clocksJump) return;
    check(expiredAt >= until, 'E1', () => `lease ${name} expires at ${expiredAt} and was promised until ${until}`);
  }
}

function isRevocation(command: PlainCommand, id: bigint): boolean {
  return command.kind === 'lease-revoke' && command.id === id;
}

function nameOf(id: bigint, grantIndex: number): Name {
  return `${id} of entry ${grantIndex}`;
}
