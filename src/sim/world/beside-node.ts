/** What a member has beside its node, as in a real process: the tasks of its store, its watches, renewals of leases. */
import { LeaseRenewals } from '../../api/lease-renewals';
import type { TurnScheduler } from '../../base/clock';
import { silentLogger } from '../../base/logger';
import type { Result } from '../../kv/result';
import { StateUpkeep } from '../../kv/state-upkeep';
import type { KvStateMachine } from '../../kv/state-machine';
import { StoreTasks, type StoreTaskOptions } from '../../kv/store-tasks';
import type { Watches } from '../../kv/watch';
import { WatchHub, type WatchHubOptions } from '../../kv/watch-hub';
import type { Node } from '../../node/node';

export interface BesideOptions {
  readonly taskOptions: StoreTaskOptions;
  readonly watchOptions: WatchHubOptions;
}

export interface BesideParts {
  readonly machine: KvStateMachine;
  readonly node: Node<Result>;
  readonly clock: TurnScheduler;
  readonly setup: BesideOptions;
  readonly onBug: (error: unknown) => void;
}

export interface BesideNode {
  readonly tasks: StoreTasks;
  readonly renewals: LeaseRenewals;
  readonly watches: Watches;
  /** Once the node has started. */
  readonly start: () => void;
}

/** To be made before the node starts: it is told of everything that is applied. */
export function besideNode({ machine, node, clock, setup, onBug }: BesideParts): BesideNode {
  const tasks = new StoreTasks({
    ...{ scheduler: clock, machine, options: setup.taskOptions, proposer: node, logger: silentLogger },
    status: () => node.status(),
    onBug,
  });
  const watches = new WatchHub({
    ...{ reader: machine, scheduler: clock, options: setup.watchOptions },
    onWatched: (isWatched) => {
      node.followClosely(isWatched);
    },
  });
  machine.addListener(tasks.lessor);
  machine.addListener(watches);
  const upkeep = new StateUpkeep({ scheduler: clock, machine, logger: silentLogger, onFailure: onBug });
  const start = (): void => {
    upkeep.start();
    tasks.start();
  };
  return { tasks, watches, renewals: new LeaseRenewals({ proposer: node, scheduler: clock }), start };
}
