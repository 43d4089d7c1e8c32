// The performance step of the gate: what an operation costs the members of a fresh cluster, in calls of a bare gRPC server
// that is measured in the same seconds. CPU time, never the clock: it holds on a slow machine and beside other work. Ends
// with 1 when an operation costs more than its bound, and with 77 where it cannot be measured.
import { mkdtemp, rm } from 'node:fs/promises';
import { platform, tmpdir } from 'node:os';
import { join } from 'node:path';
import { startEcho, stopAll } from './cluster.mjs';
import { cellsOf, prepare } from './compare/cells.mjs';
import { startQuorate } from './compare/systems.mjs';
import { ensureLoad } from './ensure-load.mjs';
import { load, usage } from './measure.mjs';
import { writePuts } from './requests.mjs';

/**
 * How many calls of each kind make one round, and the most that an operation may cost all members together, in calls of
 * the bare server. Bounds are about twice what was measured beside much other work (3.4 to 4, 1.5 to 1.7, 7.5 to 8.5, 0.54
 * to 0.59, 2.2 to 2.7), so that they hold beside anything: who makes an operation several times as dear is told.
 */
const operations = {
  put: { calls: 6000, bound: 8 },
  'stale-get': { calls: 8000, bound: 4 },
  range: { calls: 2000, bound: 14 },
  bulk: { calls: 80, bound: 1.1 },
  'keep-alive': { calls: 5000, bound: 6 },
};
const echoCalls = 12_000;
const inFlight = 64;
/** After the first one, in which the compiler settles. */
const rounds = 2;
const keys = 2000;
const valueBytes = 256;

const cpuOf = async (members) => {
  const usages = await Promise.all(members.map(({ process: { pid } }) => usage(pid)));
  return usages.reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0);
};

/** CPU seconds of the members for each of so many calls: the same work on any machine, however long it takes. */
async function costOf(members, job) {
  const before = await cpuOf(members);
  const { errors, sent } = await load({ connections: 8, ...job, seconds: 120, warmup: 0 });
  // The last ones may be unfinished: the generator waits a few seconds for them, and what they cost is counted.
  const hasFailed = Object.keys(errors).some((error) => error !== 'unfinished');
  if (hasFailed || sent < job.calls) throw new Error(`${sent} calls of ${job.calls}: ${JSON.stringify(errors)}`);
  return ((await cpuOf(members)) - before) / sent;
}

/** What each operation costs in calls of the bare server, the best of all rounds: other work only makes it dearer. */
async function measureAll({ system, echo, bodies }, cells) {
  const costs = new Map();
  const requests = [{ path: '/quorate.v1.KVService/Put', bodies }];
  for (let round = 0; round <= rounds; round++) {
    const echoJob = { requests, addresses: echo.client, 'in-flight': inFlight };
    const ofEcho = await costOf([echo], { ...echoJob, calls: echoCalls });
    for (const { name, requests, before, generator, units, inFlight: ofCell } of cells) {
      await before?.(system);
      const job = { requests: requests.quorate, addresses: system.leader.client, ...generator?.quorate };
      const atOnce = { 'in-flight': ofCell?.[0] ?? inFlight, calls: operations[name].calls };
      const cost = await costOf(system.members, { ...job, ...atOnce });
      const inEchoes = cost / (units?.quorate ?? 1) / ofEcho;
      if (round > 0) costs.set(name, Math.min(costs.get(name) ?? Infinity, inEchoes));
    }
  }
  return costs;
}

/** Prints what was measured; returns the names of what costs too much. */
function judge(costs) {
  const tooDear = [];
  for (const [name, cost] of costs) {
    const { bound } = operations[name];
    const isTooDear = cost > bound;
    if (isTooDear) tooDear.push(name);
    console.log(`${name.padEnd(12)}${cost.toFixed(2).padStart(8)} calls, bound ${bound}${isTooDear ? ' !' : ''}`);
  }
  return tooDear;
}

async function main() {
  const scratch = await mkdtemp(join(tmpdir(), 'quorate-regression-'));
  const started = [];
  try {
    const cells = cellsOf(await prepare(scratch, { keys, valueBytes })).filter(({ name }) => name in operations);
    const bodies = join(scratch, 'puts');
    await writePuts(bodies, { keys, valueBytes });
    const echo = await startEcho();
    started.push(echo);
    const system = await startQuorate(scratch);
    started.push(...system.members);
    return judge(await measureAll({ system, echo, bodies }, cells));
  } finally {
    await stopAll(started);
    await rm(scratch, { recursive: true, force: true });
  }
}

/** Why it cannot be measured here. */
async function obstacle() {
  if (platform() !== 'linux') return 'the CPU time of other processes is read from /proc';
  return ensureLoad().then(
    () => undefined,
    ({ message }) => message,
  );
}

const reason = await obstacle();
if (reason !== undefined) {
  console.log(reason);
  process.exitCode = 77;
} else if ((await main()).length > 0) {
  console.log('Operations cost more than they may: see scripts/bench/regression.mjs.');
  process.exitCode = 1;
}
