/** What the tasks of a store work with in their tests: a store that is a few numbers, and a log that does what it is told. */
import { silentLogger } from '../../src/base/logger';
import { QuorateError } from '../../src/base/error';
import type { PlainCommand } from '../../src/kv/command';
import { decodeCommand } from '../../src/kv/command-codec';
import type { CommandProposer } from '../../src/kv/errand';
import type { Alarm, LeaseInfo, Result } from '../../src/kv/result';
import { VirtualTime } from './virtual-time';

/** The parts of a reader that tasks look at, all of them to be set. */
class FakeStore {
  revision = 1;
  compactRevision = 0;
  clockMs = 0;
  quotaBytes = 0;
  alarms: Alarm[] = [];
  requestCount = 0;
  bytesInUse = 0;
  readonly leasesById = new Map<bigint, LeaseInfo>();
  readonly keysOf = new Map<bigint, readonly Uint8Array[]>();

  get leaseCount(): number {
    return this.leasesById.size;
  }

  leases(): IterableIterator<LeaseInfo> {
    return this.leasesById.values();
  }

  leaseKeys(id: bigint): readonly Uint8Array[] {
    return this.keysOf.get(id) ?? [];
  }

  sizeInUseBytes(): number {
    return this.bytesInUse;
  }
}

/** Collects what is proposed; `answer` decides what comes of it. */
export class FakeProposer implements CommandProposer {
  readonly proposed: PlainCommand[] = [];
  /** What a command gives; an error: it fails; `pending`: nobody hears of it. */
  answer: (command: PlainCommand) => Result | QuorateError | 'pending' = () => done;

  propose(bytes: Uint8Array): Promise<Result> {
    const { command } = decodeCommand(bytes);
    this.proposed.push(command);
    const answer = this.answer(command);
    if (answer === 'pending') return new Promise(() => undefined);
    return answer instanceof QuorateError ? Promise.reject(answer) : Promise.resolve(answer);
  }

  /** What was proposed since the last call. */
  take(): PlainCommand[] {
    return this.proposed.splice(0);
  }
}

const done: Result = { kind: 'done', revision: 1, changed: true };

/** Everything a task needs but its own options. */
export function taskSurroundings() {
  const time = new VirtualTime();
  const store = new FakeStore();
  const proposer = new FakeProposer();
  const bugs: unknown[] = [];
  const onBug = (error: unknown): void => void bugs.push(error);
  const parts = { proposer, clock: time, logger: silentLogger, onBug, reader: store };
  return { time, store, proposer, bugs, parts };
}
