/** What a person may change of a plan, as flags, and the flags that give a changed plan back. */
import { faultKinds } from './faults';
import { drawPlan, type Plan } from './plan';

export const planFlags = {
  members: { type: 'string' },
  clients: { type: 'string' },
  'safety-ms': { type: 'string' },
  faults: { type: 'string' },
  without: { type: 'string' },
} as const;

type Flags = { readonly [Name in keyof typeof planFlags]?: string | undefined };

/** The plan of a seed, with changes. */
export function planFromFlags(seed: number, flags: Flags): Plan {
  const drawn = drawPlan(seed);
  const { members, clients, faults, without } = flags;
  return {
    ...drawn,
    members: Number(members ?? drawn.members),
    clients: Number(clients ?? drawn.clients),
    safetyMs: Number(flags['safety-ms'] ?? drawn.safetyMs),
    faults: faults === undefined ? drawn.faults : chosenFaults(drawn, names(faults)),
    without: new Set(names(without ?? '')),
  };
}

/** What replays exactly this plan. */
export function replayCommand(plan: Plan): string {
  const drawn = drawPlan(plan.seed);
  const changes: [string, string, string][] = [
    ['members', String(drawn.members), String(plan.members)],
    ['clients', String(drawn.clients), String(plan.clients)],
    ['safety-ms', String(drawn.safetyMs), String(plan.safetyMs)],
    ['faults', [...drawn.faults.keys()].join(','), [...plan.faults.keys()].join(',')],
    ['without', '', [...plan.without].join(',')],
  ];
  const flags = changes
    .filter(([, before, after]) => before !== after)
    .map(([name, , after]) => ` --${name} "${after}"`);
  return `npm run simulate -- --seed ${plan.seed}${flags.join('')}`;
}

function chosenFaults(drawn: Plan, chosen: readonly string[]): ReadonlyMap<string, number> {
  const unknown = chosen.find((name) => !faultKinds.some((kind) => kind.name === name));
  if (unknown !== undefined) {
    throw new Error(`there is no fault "${unknown}"; there are ${faultKinds.map(({ name }) => name).join(', ')}`);
  }
  return new Map(chosen.map((name) => [name, drawn.faults.get(name) ?? 1]));
}

function names(list: string): string[] {
  return list.split(',').filter((name) => name !== '');
}
