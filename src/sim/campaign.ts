/** Many seeds, one after the other or in several processes. */
import { fork } from 'node:child_process';
import { drawPlan } from './plan';
import { failureLines, progressLine, shortfalls, volumeLines } from './report';
import type { Result } from './result';
import { simulate } from './simulate';
import { addVolume, emptyVolume } from './volume';

export interface CampaignOptions {
  readonly from: number;
  readonly seeds: number;
  readonly forMs: number;
  readonly workers: number;
  /** For the process that started this one: volume and failures as one line of JSON at the end. */
  readonly json: boolean;
  readonly maxFailures: number;
}

const progressEveryMs = 5000;
/** A run with more failures than these has told enough. */
export const maxFailures = 10;

/** Returns true if no seed failed and the run did enough. */
export async function campaign(options: CampaignOptions, say: (line: string) => void): Promise<boolean> {
  if (!options.json) say(`seeds from ${options.from}`);
  const result = options.workers > 1 ? await inWorkers(options, say) : await inThisProcess(options, say);
  if (options.json) {
    say(JSON.stringify(result));
    return result.failures.length === 0;
  }
  for (const line of volumeLines(result.volume)) say(line);
  const missing = shortfalls(result.volume);
  for (const line of missing) say(`FAILED ${line}`);
  say(progressLine(result));
  return result.failures.length === 0 && missing.length === 0;
}

async function inThisProcess(options: CampaignOptions, say: (line: string) => void): Promise<Result> {
  const volume = emptyVolume();
  const failures: string[] = [];
  const beganAt = performance.now();
  let toldAt = beganAt;
  for (let seed = options.from; seed < options.from + options.seeds; seed++) {
    const outcome = await simulate(drawPlan(seed));
    addVolume(volume, outcome.volume);
    if (outcome.failure !== undefined) {
      failures.push(failureLines(outcome).join('\n'));
      if (!options.json) say(failureLines(outcome).join('\n'));
    }
    const now = performance.now();
    if (!options.json && now - toldAt > progressEveryMs) {
      toldAt = now;
      say(progressLine({ volume, failures, cpuMs: cpuMs() }));
    }
    if (failures.length >= options.maxFailures || now - beganAt > options.forMs) break;
  }
  return { volume, failures, cpuMs: cpuMs() };
}

function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** Every process takes its share of the seeds. */
async function inWorkers(options: CampaignOptions, say: (line: string) => void): Promise<Result> {
  const volume = emptyVolume();
  const failures: string[] = [];
  let cpu = 0;
  const share = Math.ceil(options.seeds / options.workers);
  // Shares of an endless run lie far apart.
  const stride = Number.isFinite(share) ? share : 10_000_000;
  const workers = Array.from({ length: options.workers }, async (_, at) => {
    const from = options.from + at * stride;
    const seeds = Math.min(share, options.from + options.seeds - from);
    const result = await inWorker({ from, seeds, forMs: options.forMs });
    addVolume(volume, result.volume);
    cpu += result.cpuMs;
    failures.push(...result.failures);
    for (const failure of result.failures) say(failure);
  });
  await Promise.all(workers);
  return { volume, failures, cpuMs: cpu };
}

function inWorker({ from, seeds, forMs }: Pick<CampaignOptions, 'from' | 'seeds' | 'forMs'>): Promise<Result> {
  const limit = Number.isFinite(forMs) ? ['--minutes', String(forMs / 60_000)] : [];
  const count = Number.isFinite(seeds) ? ['--seeds', String(seeds)] : [];
  const script = require.resolve('./main');
  const child = fork(script, ['--json', '--from', String(from), ...count, ...limit], { silent: true });
  return new Promise((resolve, reject) => {
    let output = '';
    child.stdout?.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.stderr?.pipe(process.stderr);
    child.once('close', () => {
      try {
        resolve(JSON.parse(output) as Result);
      } catch {
        reject(new Error(`a worker ended without a result: ${output}`));
      }
    });
  });
}
