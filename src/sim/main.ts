/** The command line of the simulator: `npm run simulate`. */
import { parseArgs } from 'node:util';
import { campaign, maxFailures, type CampaignOptions } from './campaign';
import { planFromFlags, planFlags, replayCommand } from './plan-flags';
import { runProgram } from './program';
import { failureLines, volumeLines } from './report';
import { shrink } from './shrink';
import { simulate } from './simulate';

const help = `Usage: npm run simulate -- [options]

One process, virtual time; the seed decides everything.

  --seed N          one seed, and its trace hash
  --seeds N         so many seeds, from --from on (default 100)
  --minutes N       seeds for so long, from a fresh one on unless --from says otherwise
  --from N          the first seed of several (default 1)
  --workers N       so many processes (default 1)
  --until-failure   end with the first seed that fails
  --trace           with --seed: tell everything that happens
  --shrink          with --seed: look for the smallest schedule that fails in the same way

Changes to what the seed decides, as a shrunken failure prints them:
  --members N --clients N --safety-ms N --faults a,b,c --without a#1,b#2`;

const say = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

const flags = {
  seed: { type: 'string' },
  seeds: { type: 'string' },
  minutes: { type: 'string' },
  from: { type: 'string' },
  workers: { type: 'string', default: '1' },
  json: { type: 'boolean', default: false },
  'until-failure': { type: 'boolean', default: false },
  trace: { type: 'boolean', default: false },
  shrink: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
  ...planFlags,
} as const;

async function main(): Promise<boolean> {
  const { values } = parseArgs({ options: flags });
  if (values.help) {
    say(help);
    return true;
  }
  if (values.seed === undefined) return campaign(campaignOptions(values), say);
  say(`seed ${values.seed}`);
  const plan = planFromFlags(wholeNumber('seed', values.seed), values);
  const outcome = await simulate(plan, values.trace ? say : undefined);
  for (const line of volumeLines(outcome.volume)) say(line);
  say(`trace hash ${outcome.traceHash}`);
  if (outcome.failure === undefined) return true;
  for (const line of failureLines(outcome)) say(line);
  if (values.shrink) {
    const smallest = await shrink(outcome, say);
    say(`smallest: ${replayCommand(smallest.plan)} --trace`);
  }
  return false;
}

function campaignOptions(values: {
  readonly seeds?: string | undefined;
  readonly minutes?: string | undefined;
  readonly from?: string | undefined;
  readonly workers: string;
  readonly json: boolean;
  readonly 'until-failure': boolean;
}): CampaignOptions {
  const { seeds, minutes, from, workers, json } = values;
  const forMs = minutes === undefined ? Infinity : Number(minutes) * 60_000;
  if (Number.isNaN(forMs)) throw new Error(`--minutes must be a number, not ${minutes}`);
  // The one thing that is different every time: where a run of fresh seeds begins.
  const fresh = Date.now() * 100;
  return {
    from: from === undefined ? (minutes === undefined ? 1 : fresh) : wholeNumber('from', from),
    seeds: seeds === undefined ? (minutes === undefined ? 100 : Infinity) : wholeNumber('seeds', seeds),
    forMs,
    workers: wholeNumber('workers', workers),
    json,
    maxFailures: values['until-failure'] ? 1 : maxFailures,
  };
}

function wholeNumber(name: string, text: string): number {
  const number = Number(text);
  if (!Number.isSafeInteger(number) || number < 0) throw new Error(`--${name} must be a whole number, not ${text}`);
  return number;
}

runProgram(main);
