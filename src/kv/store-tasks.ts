/** Everything that a store needs done beside applying entries, put together: the same for a real member and a simulated one. */
import type { Scheduler } from '../base/clock';
import type { Role } from '../raft';
import { AutoCompaction, type Retention } from './auto-compaction';
import type { ErrandParts } from './errand';
import { LeaderTasks } from './leader-tasks';
import { Lessor } from './lessor';
import { QuotaGuard } from './quota-guard';
import type { KvReader } from './result';
import { StoreClock } from './store-clock';

/** How a store is kept. */
export interface StoreTaskOptions extends Retention {
  /** Most leases that expire in a second. Default 10,000, range 1 to 1,000,000. */
  readonly maxExpiriesPerSecond: number;
}

export const defaultStoreTaskOptions: StoreTaskOptions = {
  maxExpiriesPerSecond: 10_000,
  retainMs: 3_600_000,
  retainRevisions: 1_000_000,
};

/** What the tasks work with. */
export interface StoreTasksParts extends Omit<ErrandParts, 'clock'> {
  readonly scheduler: Scheduler;
  readonly machine: KvReader & { readonly appliedTerm: number };
  readonly options: StoreTaskOptions;
  /** The member's place in the cluster as it knows it. */
  status(): { readonly role: Role; readonly term: number };
}

/** The tasks of one member's store, from `start` to `stop`. */
export class StoreTasks {
  /** Must be told of what is applied: a listener of the state machine. */
  readonly lessor: Lessor;
  readonly #rounds: LeaderTasks;

  constructor(parts: StoreTasksParts) {
    const { scheduler, machine, options } = parts;
    const leadingTerm = (): number | undefined => leadingTermOf(parts);
    const common = {
      ...{ clock: scheduler, reader: machine, proposer: parts.proposer, logger: parts.logger, leadingTerm },
      onBug: (error: unknown) => {
        parts.onBug(error);
      },
      ...options,
    };
    this.lessor = new Lessor(common);
    const tasks = [this.lessor, new StoreClock(common), new AutoCompaction(common), new QuotaGuard(common)];
    this.#rounds = new LeaderTasks({ scheduler, tasks, leadingTerm });
  }

  start(): void {
    this.#rounds.start();
  }

  stop(): void {
    this.#rounds.stop();
  }
}

/** A leader that has applied an entry of its own term has applied everything that was committed before it. */
function leadingTermOf(parts: StoreTasksParts): number | undefined {
  const { role, term } = parts.status();
  return role === 'leader' && parts.machine.appliedTerm === term ? term : undefined;
}
