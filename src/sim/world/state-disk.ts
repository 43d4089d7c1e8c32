/** What a member's state database holds over its lives: all that was applied, or after a power cut what it was at some time since the last checkpoint. */
import { assert } from '../../base/assert';
import { between, type Rng } from '../../base/rng';
import { MemoryStateDisk } from '../../kv/memory-medium';
import type { RequestRetention } from '../../kv/request-table';
import { openKvStateMachine, type KvStateMachine, type KvStateMachineOptions } from '../../kv/state-machine';
import { commandOf } from '../../node/proposal-codec';
import type { Entry, LogPosition } from '../../raft';
import type { DurableView } from '../checkers/member-view';

const simClusterId = 1n;

/** Few, so that entries that take long come up: these worlds have few keys. */
const longFromKeys = 3;

/** A state that may be on its way to the disk. */
export interface WrittenState {
  readonly index: number;
  readonly image: Buffer | undefined;
}

export class StateDisk {
  readonly #memory = new MemoryStateDisk();
  /** What a power cut leaves at least. */
  #durable: Buffer | undefined;
  #durableIndex = 0;
  /** As of the last close. */
  #closedAt = 0;
  readonly #retention: RequestRetention;

  constructor(retention: RequestRetention) {
    this.#retention = retention;
  }

  /** What a power cut leaves at least: the log may be cut up to there (invariant N4). */
  get durableIndex(): number {
    return this.#durableIndex;
  }

  /** @throws QuorateError `refused-to-start` if the state does not reach to where the log begins */
  open(logStart: LogPosition): KvStateMachine {
    const disk = this.#memory;
    const machine = this.#openMachine({ logStart, disk });
    // An interrupted installation was completed, for good.
    if (machine.appliedIndex > this.#closedAt) this.madeDurable(this.written(machine));
    return machine;
  }

  /** What the machine has just written; nothing of it is durable yet. */
  written({ appliedIndex }: KvStateMachine): WrittenState {
    return { index: appliedIndex, image: this.#memory.state };
  }

  /** A state that was written has reached the disk; what is older than the one there changes nothing. */
  madeDurable({ index, image }: WrittenState): void {
    if (index < this.#durableIndex) return;
    this.#durable = image;
    this.#durableIndex = index;
  }

  /** The process has ended: everything it wrote is there as long as the power is. */
  close(machine: KvStateMachine): void {
    this.#closedAt = machine.appliedIndex;
    void machine.close(); // All of it happens within the call.
  }

  /** After `close`: what was written without fsync is gone, or some of it. */
  cutPower(log: DurableView, rng: Rng): void {
    const target = between(rng, this.#durableIndex, Math.max(this.#durableIndex, this.#closedAt));
    const disk = new MemoryStateDisk();
    disk.state = this.#durable;
    const machine = this.#openMachine({ disk });
    assert(machine.appliedIndex === this.#durableIndex, 'the saved state is the one that was saved');
    machine.apply(entriesToReplay(log, this.#durableIndex + 1, target));
    this.#closedAt = machine.appliedIndex;
    void machine.close();
    this.#memory.state = disk.state;
  }

  #openMachine(options: Pick<KvStateMachineOptions, 'logStart' | 'disk'>): KvStateMachine {
    const retention = this.#retention;
    return openKvStateMachine({ path: ':memory:', clusterId: simClusterId, retention, longFromKeys, ...options });
  }

  /** Everything is gone. */
  wipe(): void {
    this.#memory.state = undefined;
    this.#memory.received.clear();
    this.#durable = undefined;
    this.#durableIndex = 0;
    this.#closedAt = 0;
  }
}

function entriesToReplay(log: DurableView, from: number, to: number): readonly Entry[] {
  const entries: Entry[] = [];
  for (let index = from; index <= to; index++) {
    const entry = log.entryAt(index);
    // A snapshot has taken the place of the log, and not yet that of the state.
    if (entry === undefined) break;
    entries.push(withoutProposer(entry));
  }
  return entries;
}

/** The command as the state machine sees it. */
export function withoutProposer(entry: Entry): Entry {
  return entry.kind === 'command' ? { ...entry, payload: commandOf(entry.payload) } : entry;
}
