// `npm run soak`: full mixed load for minutes, with memory, files, event loop and garbage collection of each member watched.
// Fails if any of them grows. Everything runs on loopback, in processes this script starts and stops; bounded by --minutes.
import { statSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { findLeader, startCluster, stopAll } from './bench/cluster.mjs';
import { usage } from './bench/measure.mjs';
import { at } from './lib/paths.mjs';
import { growths, measures } from './soak/flatness.mjs';
import { picture } from './soak/plots.mjs';
import { traffic } from './soak/traffic.mjs';

const { values: options } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    'keep-revisions': { type: 'string', default: '200000' },
    clients: { type: 'string', default: '64' },
    keys: { type: 'string', default: '10000' },
    'value-bytes': { type: 'string', default: '256' },
    picture: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});

const help = `Usage: npm run soak -- [options]
  --minutes N         length of the run (default 10)
  --keep-revisions N  revisions that are not compacted (default 200000)
  --clients N         calls in flight, spread over the members (default 64)
  --keys N            number of different keys (default 10000)
  --value-bytes N     size of each value (default 256)
  --picture FILE      write plots over time there, as SVG
Puts, gets, ranges, transactions, puts with a lease that ends; beside them watchers, and leases that are kept alive.
Fails when memory, log, state, the delay of the event loop or the pauses for garbage of a member are larger in the last
third of the run than in the middle third.`;

const MiB = 2 ** 20;
/** Samples of a run, however long it is. */
const samplesPerRun = 60;

/** What each member has told of itself since it was asked last (soak/monitor.cjs). */
function listen(members) {
  const told = members.map(() => []);
  members.forEach(({ process: child }, number) => child.on('message', (message) => told[number].push(message)));
  return (number) => {
    const messages = told[number].splice(0);
    const most = (name) => Math.max(0, ...messages.map((message) => message[name]));
    const sum = messages.reduce((total, { gcMs }) => total + gcMs, 0);
    // A message stands for a second.
    const gcPercent = messages.length === 0 ? 0 : sum / messages.length / 10;
    return { loopP99Ms: most('loopP99Ms'), gcMaxMs: most('gcMaxMs'), gcPercent };
  };
}

const sizeOf = (file) => statSync(file, { throwIfNoEntry: false })?.size ?? 0;

async function sample(scratch, { clients, members, told }) {
  return Promise.all(
    members.map(async ({ name, process: child }, number) => {
      const [{ rssBytes }, status] = await Promise.all([
        usage(child.pid),
        clients[number].cluster.status({ timeoutMs: 5000 }),
      ]);
      const [state, wal] = ['state.db', 'state.db-wal'].map((file) => sizeOf(join(scratch, name, file)));
      return { name, rssBytes, logBytes: status.logDatabaseBytes, stateBytes: state, walBytes: wal, ...told(number) };
    }),
  );
}

function say(seconds, members) {
  const parts = members.map(({ name, rssBytes, logBytes, stateBytes, loopP99Ms, gcMaxMs }) => {
    const [rss, log, state] = [rssBytes, logBytes, stateBytes].map((bytes) => Math.round(bytes / MiB));
    return `${name} ${rss} MiB, log ${log}, state ${state}, loop ${Math.round(loopP99Ms)} ms, gc ${Math.round(gcMaxMs)} ms`;
  });
  console.log(`${String(Math.round(seconds)).padStart(5)} s  ${parts.join(' | ')}`);
}

async function watch(scratch, members, isOver) {
  const { QuorateClient } = await import('../dist/client/index.js');
  const clients = members.map(({ client }) => new QuorateClient({ endpoints: [client] }));
  const told = listen(members);
  const startedAt = performance.now();
  const samples = [];
  const everyMs = Math.max(1000, (Number(options.minutes) * 60_000) / samplesPerRun);
  try {
    while (!isOver()) {
      await sleep(everyMs);
      const seconds = (performance.now() - startedAt) / 1000;
      samples.push({ seconds, members: await sample(scratch, { clients, members, told }) });
      say(seconds, samples.at(-1).members);
    }
  } finally {
    for (const client of clients) client.close();
  }
  return samples;
}

/** What the load generator said of one kind of traffic, and whether that is enough. */
function problemsOf(what, { calls, errors, elapsedSeconds, latencyMs, longestGapMs }) {
  const rate = Math.round(calls / elapsedSeconds);
  console.log(`${calls} ${what}, ${rate} a second, p99 ${latencyMs.p99} ms, longest gap ${longestGapMs} ms`);
  return Object.keys(errors).length > 0 ? [`${what} failed: ${JSON.stringify(errors)}`] : [];
}

function judge(samples, { calls, events, renewals }) {
  console.log(`\n${events.units} events to watchers`);
  const problems = [...problemsOf('calls', calls), ...problemsOf('renewals', renewals)];
  if (events.units === 0) problems.push('no watcher was told anything');
  if (renewals.calls === 0) problems.push('no lease was renewed');
  if (samples.length < 6) problems.push(`only ${samples.length} samples: too short to tell`);
  else problems.push(...growths(samples));
  for (const problem of problems) console.log(`NOT FLAT ${problem}`);
  console.log(problems.length === 0 ? 'all is flat' : 'not all is flat');
  if (problems.length > 0) process.exitCode = 1;
}

async function main() {
  const scratch = await mkdtemp(join(tmpdir(), 'quorate-soak-'));
  let members = [];
  try {
    const args = ['--auto-compaction-revisions', options['keep-revisions']];
    members = await startCluster(scratch, args, { preload: at('scripts/soak/monitor.cjs') });
    const leader = await findLeader(members);
    console.log(`${cpus().length} x ${cpus()[0].model}, Node ${process.version}; ${options.minutes} minutes\n`);
    const [clients, keys, valueBytes] = [options.clients, options.keys, options['value-bytes']].map(Number);
    let isOver = false;
    const loading = traffic(scratch, {
      ...{ members, leader, clients, keys, valueBytes },
      seconds: Number(options.minutes) * 60,
    }).finally(() => {
      isOver = true;
    });
    const [result, samples] = await Promise.all([loading, watch(scratch, members, () => isOver)]);
    if (options.picture !== undefined) await writeFile(options.picture, picture(samples, measures));
    judge(samples, result);
  } finally {
    await stopAll(members);
    await rm(scratch, { recursive: true, force: true });
  }
}

if (options.help) console.log(help);
else await main();
