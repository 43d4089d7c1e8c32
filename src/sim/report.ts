/** What the simulator tells people. */
import { faultKinds } from './faults';
import { replayCommand } from './plan-flags';
import type { Result } from './result';
import type { Outcome } from './simulate';
import type { Volume } from './volume';
import { wishKinds } from './workload/wishes';

const hourMs = 3_600_000;

export function failureLines({ failure, plan }: Outcome): readonly string[] {
  return [`FAILED seed ${plan.seed}: ${failure?.message}`, `replay: ${replayCommand(plan)} --trace`];
}

/** One line while a long run is under way. */
export function progressLine({ volume, failures, cpuMs }: Result): string {
  const { seeds, simulatedMs, steps, elections, snapshots, faults } = volume;
  const struck = Object.values(faults).reduce((sum, count) => sum + count, 0);
  return [
    `${seeds} seeds`,
    `${(simulatedMs / hourMs).toFixed(2)} simulated hours`,
    `${steps} steps`,
    `${elections} elections`,
    `${snapshots} snapshots`,
    `${struck} faults`,
    `${failures.length} failed`,
    `${(simulatedMs / cpuMs).toFixed(0)} times real time`,
    `${((steps / cpuMs) * 1000).toFixed(0)} steps/s on one core`,
  ].join(', ');
}

export function volumeLines(volume: Volume): readonly string[] {
  const { simulatedMs, steps, elections, commits, truncations, restarts, snapshots, network, calls, faults } = volume;
  const faultCounts = faultKinds.flatMap(({ name }) => (faults[name] === undefined ? [] : [`${name} ${faults[name]}`]));
  return [
    `simulated ${(simulatedMs / 1000).toFixed(1)} s in ${steps} steps`,
    `elections ${elections}, commits ${commits}, truncations ${truncations}, restarts ${restarts}, snapshots ${snapshots}, shortened logs ${volume.cuts}`,
    `configurations ${volume.configurations}, joint ${volume.joint}; ${countsText(volume.wishes)}`,
    `packets: delivered ${network.delivered}, lost ${network.lost}, duplicated ${network.duplicated}, reordered ${network.reordered}; transfers of snapshots: arrived ${network.transfers}, broken off ${network.brokenTransfers}`,
    `calls: ok ${calls.ok}, definite errors ${calls.definite}, ambiguous ${calls.ambiguous}, open ${calls.open}`,
    `done: ${countsText(volume.operations)}`,
    `refused: ${countsText(volume.refusals)}`,
    `leases: expired ${volume.expiries}, promised ${volume.promises}; watches: opened ${volume.watches}, events ${volume.watchEvents}`,
    `faults: ${faultCounts.join(', ')}`,
  ];
}

function countsText(counts: Readonly<Record<string, number>>): string {
  return Object.entries(counts)
    .map(([name, count]) => `${name} ${count}`)
    .join(', ');
}

/** From so many seeds on, each of these must have happened. */
const enoughSeeds = 50;

const wantedOperations = [
  'put',
  'delete',
  'txn',
  'compact',
  'lease-grant',
  'lease-revoke',
  'renew',
  'get',
  'list',
  'select',
  'lease',
];
const wantedRefusals = [
  'replayed',
  ...['request-mismatch', 'request-expired', 'compacted', 'future-revision', 'duplicate-key', 'key-not-found'],
  ...['lease-not-found', 'lease-exists', 'no-space', 'read compacted', 'read future-revision'],
];

/** What a run did too little of: then it proves nothing. */
export function shortfalls(volume: Volume): readonly string[] {
  const { seeds } = volume;
  if (seeds < enoughSeeds) return [];
  const wanted: [string, number, number][] = [
    ['elections', volume.elections, 2 * seeds],
    ['commits', volume.commits, 30 * seeds],
    ['truncations', volume.truncations, seeds / 10],
    ['restarts', volume.restarts, 4 * seeds],
    ['snapshots', volume.snapshots, seeds / 2],
    ['broken transfers of snapshots', volume.network.brokenTransfers, seeds / 10],
    ['shortened logs', volume.cuts, 5 * seeds],
    ['configurations', volume.configurations, seeds],
    ['joint configurations', volume.joint, seeds / 10],
    ...wishKinds.map(({ name }): [string, number, number] => [
      `members' changes "${name}"`,
      volume.wishes[name] ?? 0,
      seeds / 100,
    ]),
    ['acknowledgements', volume.acknowledgements, 100 * seeds],
    ['calls that succeed', volume.calls.ok, 40 * seeds],
    ['calls that surely fail', volume.calls.definite, seeds],
    ['calls without a known outcome', volume.calls.ambiguous, seeds],
    ['expired leases', volume.expiries, seeds],
    ['promises to holders of leases', volume.promises, 5 * seeds],
    ['events that watches were told', volume.watchEvents, 20 * seeds],
    ...wantedOperations.map((name): [string, number, number] => [
      `calls "${name}"`,
      volume.operations[name] ?? 0,
      seeds,
    ]),
    ...wantedRefusals.map((name): [string, number, number] => [
      `answers "${name}"`,
      volume.refusals[name] ?? 0,
      seeds / 20,
    ]),
    ['lost packets', volume.network.lost, 20 * seeds],
    ['duplicated packets', volume.network.duplicated, 10 * seeds],
    ['packets out of order', volume.network.reordered, 10 * seeds],
    ...faultKinds.map(({ name }): [string, number, number] => [
      `faults "${name}"`,
      volume.faults[name] ?? 0,
      seeds / 50,
    ]),
  ];
  const lost = volume.unrecoverable;
  const tooManyLost = lost > seeds / 50 ? [`too many clusters lost their quorum for ever: ${lost} of ${seeds}`] : [];
  return wanted
    .filter(([, count, least]) => count < least)
    .map(
      ([what, count, least]) =>
        `too few ${what}: ${count}, at least ${Math.ceil(least)} are expected of ${seeds} seeds`,
    )
    .concat(tooManyLost);
}
