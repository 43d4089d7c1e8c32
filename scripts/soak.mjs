// `npm run soak`: full load for minutes, with memory, log and state of each member watched. Fails if memory or log grow.
// Everything runs on loopback, in processes this script starts and stops; bounded by --minutes.
import { mkdtemp, rm } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { findLeader, startCluster, stopAll } from './bench/cluster.mjs';
import { load, usage } from './bench/measure.mjs';
import { writePuts } from './bench/requests.mjs';

const { values: options } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    'keep-revisions': { type: 'string', default: '200000' },
    clients: { type: 'string', default: '64' },
    keys: { type: 'string', default: '10000' },
    'value-bytes': { type: 'string', default: '256' },
    help: { type: 'boolean', default: false },
  },
});

const help = `Usage: npm run soak -- [options]
  --minutes N         length of the run (default 10)
  --keep-revisions N  revisions that are not compacted (default 200000)
  --clients N         puts in flight (default 64)
  --keys N            number of different keys (default 10000)
  --value-bytes N     size of each value (default 256)
Fails when the memory or the log of a member is larger in the last third of the run than in the middle third.`;

const MiB = 2 ** 20;
/** What may differ between two thirds of a run and still be called flat. */
const tolerance = { rssBytes: 1.15, logBytes: 1.15 };

async function sample(clients, members) {
  return Promise.all(
    members.map(async ({ name, process: child }, number) => {
      const [{ rssBytes }, status] = await Promise.all([
        usage(child.pid),
        clients[number].cluster.status({ timeoutMs: 5000 }),
      ]);
      const { firstLogIndex, lastLogIndex, logDatabaseBytes, stateDatabaseBytes, appliedIndex } = status;
      const logEntries = lastLogIndex - firstLogIndex + 1;
      return { name, rssBytes, logBytes: logDatabaseBytes, stateBytes: stateDatabaseBytes, logEntries, appliedIndex };
    }),
  );
}

function say(seconds, members) {
  const parts = members.map(({ name, rssBytes, logBytes, logEntries, stateBytes }) => {
    const [rss, log, state] = [rssBytes, logBytes, stateBytes].map((bytes) =>
      String(Math.round(bytes / MiB)).padStart(4),
    );
    return `${name} ${rss} MiB, log ${log} MiB ${String(logEntries).padStart(6)} entries, state ${state} MiB`;
  });
  console.log(`${String(Math.round(seconds)).padStart(5)} s  ${parts.join(' | ')}`);
}

/** The largest value of a third of the samples. */
function peak(samples, third, number, property) {
  const part = samples.slice(Math.floor((third * samples.length) / 3), Math.floor(((third + 1) * samples.length) / 3));
  return Math.max(...part.map((members) => members[number][property]));
}

function growths(samples, members) {
  return members.flatMap(({ name }, number) =>
    Object.entries(tolerance).flatMap(([property, factor]) => {
      const [middle, last] = [peak(samples, 1, number, property), peak(samples, 2, number, property)];
      return last <= factor * middle ? [] : [`${name}: ${property} rose from ${middle} to ${last}`];
    }),
  );
}

async function watch(members, isOver) {
  const { QuorateClient } = await import('../dist/client/index.js');
  const clients = members.map(({ client }) => new QuorateClient({ endpoints: [client] }));
  const startedAt = performance.now();
  const samples = [];
  const everyMs = Math.max(1000, (Number(options.minutes) * 60_000) / 60);
  try {
    while (!isOver()) {
      await sleep(everyMs);
      samples.push(await sample(clients, members));
      say((performance.now() - startedAt) / 1000, samples.at(-1));
    }
  } finally {
    for (const client of clients) client.close();
  }
  return samples;
}

async function main() {
  const scratch = await mkdtemp(join(tmpdir(), 'quorate-soak-'));
  let members = [];
  try {
    const bodies = join(scratch, 'puts');
    await writePuts(bodies, { keys: Number(options.keys), valueBytes: Number(options['value-bytes']) });
    members = await startCluster(scratch, ['--auto-compaction-revisions', options['keep-revisions']]);
    const leader = await findLeader(members);
    const seconds = Number(options.minutes) * 60;
    console.log(`${cpus().length} x ${cpus()[0].model}, Node ${process.version}; ${options.minutes} minutes of puts\n`);
    let isOver = false;
    const requests = [{ path: '/quorate.v1.KVService/Put', bodies }];
    const job = { requests, addresses: leader.client, 'in-flight': options.clients };
    const loading = load({ ...job, connections: 8, seconds, warmup: 0 }).finally(() => {
      isOver = true;
    });
    const [result, samples] = await Promise.all([loading, watch(members, () => isOver)]);
    console.log(`\n${result.calls} puts, ${Math.round(result.calls / result.elapsedSeconds)} a second, `);
    console.log(
      `p99 ${result.latencyMs.p99} ms, longest gap ${result.longestGapMs} ms, errors ${JSON.stringify(result.errors)}`,
    );
    const problems = growths(samples, members);
    if (samples.length < 6) problems.push(`only ${samples.length} samples: too short to tell`);
    if (Object.keys(result.errors).length > 0) problems.push('calls failed');
    for (const problem of problems) console.log(`NOT FLAT ${problem}`);
    console.log(problems.length === 0 ? 'memory and log are flat' : 'memory or log are not flat');
    if (problems.length > 0) process.exitCode = 1;
  } finally {
    await stopAll(members);
    await rm(scratch, { recursive: true, force: true });
  }
}

if (options.help) console.log(help);
else await main();
