/** What a run really did: a run that did nothing proves nothing. */
import type { Call, CallOutcome } from './workload/call';
import type { NetworkVolume } from './world/network';

export interface Volume {
  seeds: number;
  simulatedMs: number;
  steps: number;
  elections: number;
  commits: number;
  truncations: number;
  acknowledgements: number;
  applied: number;
  restarts: number;
  /** Snapshots that took the place of a state. */
  snapshots: number;
  /** How often a log was cut at the front. */
  cuts: number;
  /** Configurations that were committed, and the joint ones among them. */
  configurations: number;
  joint: number;
  /** Seeds that lost their quorum for ever: nothing can be said of their recovery. */
  unrecoverable: number;
  /** Keys whose history was too much for the linearizability checker; the other checks still hold for them. */
  undecided: number;
  /** Leases that expired, and times that a holder was told how long one lasts. */
  expiries: number;
  promises: number;
  /** Watches that were opened, and events that they were told. */
  watches: number;
  watchEvents: number;
  readonly network: NetworkVolume;
  readonly calls: Record<CallOutcome, number>;
  readonly faults: Record<string, number>;
  /** What clients asked and got an answer to, by kind. */
  readonly operations: Record<string, number>;
  /** Why commands were refused; `replayed` for those whose answer is that of an earlier attempt. */
  readonly refusals: Record<string, number>;
  /** What operators did, by kind. */
  readonly wishes: Record<string, number>;
}

export function emptyVolume(): Volume {
  return {
    ...{ seeds: 0, simulatedMs: 0, steps: 0, elections: 0, commits: 0, truncations: 0 },
    ...{ acknowledgements: 0, applied: 0, restarts: 0, snapshots: 0, undecided: 0 },
    ...{ configurations: 0, joint: 0, cuts: 0, unrecoverable: 0 },
    ...{ expiries: 0, promises: 0, watches: 0, watchEvents: 0 },
    network: { delivered: 0, lost: 0, duplicated: 0, reordered: 0, transfers: 0, brokenTransfers: 0 },
    calls: { open: 0, ok: 0, definite: 0, ambiguous: 0 },
    faults: {},
    operations: {},
    refusals: {},
    wishes: {},
  };
}

/** Counts what clients asked, and what they were told. */
export function tally(volume: Volume, calls: readonly Call[]): void {
  for (const { outcome, operation, answer } of calls) {
    volume.calls[outcome]++;
    if (outcome !== 'ok' || answer === undefined) continue;
    count(volume.operations, operation.kind === 'mutation' ? operation.command.kind : operation.kind);
    if ('replayed' in answer) count(volume.refusals, 'replayed');
    else if (answer.kind === 'refused') count(volume.refusals, answer.refusal);
    else if (answer.kind === 'read' && answer.refusal !== undefined) count(volume.refusals, `read ${answer.refusal}`);
  }
}

function count(counts: Record<string, number>, name: string): void {
  counts[name] = (counts[name] ?? 0) + 1;
}

/** Adds what another run did. */
export function addVolume(total: Volume, more: Volume): void {
  addNumbers(total as unknown as Record<string, unknown>, more as unknown as Record<string, unknown>);
}

function addNumbers(total: Record<string, unknown>, more: Record<string, unknown>): void {
  for (const [key, value] of Object.entries(more)) {
    if (typeof value === 'number') total[key] = ((total[key] as number | undefined) ?? 0) + value;
    else addNumbers((total[key] ??= {}) as Record<string, unknown>, value as Record<string, unknown>);
  }
}
