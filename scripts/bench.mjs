// `npm run bench`: throughput and latency of a fresh three-member cluster on this machine, with CPU and memory of each member.
// Everything runs on loopback, in processes this script starts and stops; bounded by --seconds.
import { fork, spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const root = fileURLToPath(new URL('..', import.meta.url));
const { values: options } = parseArgs({
  options: {
    seconds: { type: 'string', default: '30' },
    clients: { type: 'string', default: '1,16,64' },
    'value-bytes': { type: 'string', default: '256' },
    keys: { type: 'string', default: '10000' },
    target: { type: 'string', default: 'leader' },
    'data-dir': { type: 'string' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

const help = `Usage: npm run bench -- [options]
  --seconds N       length of the whole measurement, all cells together (default 30)
  --clients LIST    calls in flight, one cell for each and operation (default 1,16,64)
  --value-bytes N   size of each value (default 256)
  --keys N          number of different keys (default 10000)
  --target WHERE    leader, or spread over all members (default leader)
  --data-dir DIR    where the members keep their data (default a temporary directory, removed afterwards)
  --json            print the results as one JSON document`;

async function freePorts(count) {
  const servers = await Promise.all(
    Array.from(
      { length: count },
      () =>
        new Promise((resolve) => {
          const server = createServer();
          server.listen(0, '127.0.0.1', () => resolve(server));
        }),
    ),
  );
  const ports = servers.map((server) => server.address().port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

async function startCluster(directory) {
  const ports = await freePorts(6);
  const members = [0, 1, 2].map((at) => ({
    name: `m${at + 1}`,
    client: `127.0.0.1:${ports[2 * at]}`,
    peer: `127.0.0.1:${ports[2 * at + 1]}`,
  }));
  const initial = members.map(({ name, peer, client }) => `${name}=${peer}/${client}`).join(',');
  for (const member of members) {
    member.process = spawn(
      process.execPath,
      [
        join(root, 'dist/main.js'),
        'serve',
        ...['--name', member.name, '--data-dir', join(directory, member.name), '--initial-members', initial],
        ...['--client-listen', member.client, '--peer-listen', member.peer, '--log-level', 'warn'],
      ],
      { stdio: ['ignore', 'ignore', 'inherit'] },
    );
  }
  return members;
}

async function findLeader(members) {
  const { QuorateClient } = await import('../dist/client/index.js');
  const until = Date.now() + 15_000;
  while (Date.now() < until) {
    for (const member of members) {
      const client = new QuorateClient({ endpoints: [member.client] });
      try {
        const status = await client.status({ timeoutMs: 1000 });
        if (status.role === 'leader' && status.hasQuorum) return member;
      } catch {
        // Not up yet: asked again below.
      } finally {
        client.close();
      }
    }
    await sleep(100);
  }
  throw new Error('no leader within 15 s');
}

/** CPU seconds and resident bytes of a process so far (Linux). */
async function usage(pid) {
  const stat = (await readFile(`/proc/${pid}/stat`, 'utf8')).split(') ')[1].split(' ');
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return {
    cpuSeconds: (Number(stat[11]) + Number(stat[12])) / 100,
    rssBytes: Number(/VmRSS:\s+(\d+)/.exec(status)[1]) * 1024,
  };
}

function percentile(sorted, fraction) {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * fraction))];
}

async function measure({ members, addresses, operation, clients, seconds }) {
  const generator = fork(fileURLToPath(new URL('bench/generator.mjs', import.meta.url)), { serialization: 'advanced' });
  const before = await Promise.all(members.map((member) => usage(member.process.pid)));
  const result = await new Promise((resolve, reject) => {
    generator.once('message', resolve);
    generator.once('exit', (code) => reject(new Error(`the load generator ended with code ${code}`)));
    generator.send({
      ...{ addresses, operation, clients, seconds, connections: Math.min(clients, 8) },
      ...{ keys: Number(options.keys), valueBytes: Number(options['value-bytes']) },
    });
  });
  generator.kill();
  const after = await Promise.all(members.map((member) => usage(member.process.pid)));
  const sorted = Float64Array.from(result.latencies).sort();
  return {
    operation,
    clients,
    perSecond: Math.round(sorted.length / result.elapsed),
    p50Ms: percentile(sorted, 0.5),
    p99Ms: percentile(sorted, 0.99),
    maxMs: sorted.at(-1),
    errors: result.errors,
    operations: sorted.length,
    generatorCpu: result.cpuSeconds / result.elapsed,
    members: members.map((member, at) => ({
      name: member.name,
      cpu: (after[at].cpuSeconds - before[at].cpuSeconds) / result.elapsed,
      rssMiB: Math.round(after[at].rssBytes / 2 ** 20),
    })),
  };
}

function row(cell) {
  const members = cell.members.map(({ name, cpu, rssMiB }) => `${name} ${(cpu * 100).toFixed(0)}% ${rssMiB}MiB`);
  const errors = Object.entries(cell.errors).map(([code, count]) => `${count}x status ${code}`);
  return [
    cell.operation.padEnd(4),
    String(cell.clients).padStart(4),
    String(cell.perSecond).padStart(8),
    cell.p50Ms.toFixed(2).padStart(8),
    cell.p99Ms.toFixed(2).padStart(8),
    cell.maxMs.toFixed(1).padStart(8),
    `${(cell.generatorCpu * 100).toFixed(0)}%`.padStart(6),
    `  ${members.join('  ')}`,
    errors.length === 0 ? '' : `  ERRORS ${errors.join(', ')}`,
  ].join('');
}

async function stopCluster(members) {
  await Promise.all(
    members.map(async ({ process: child }) => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGTERM');
      const timer = globalThis.setTimeout(() => child.kill('SIGKILL'), 10_000);
      await ended;
      globalThis.clearTimeout(timer);
    }),
  );
}

async function main() {
  const clientCounts = options.clients.split(',').map(Number);
  const directory = options['data-dir'] ?? (await mkdtemp(join(tmpdir(), 'quorate-bench-')));
  const members = await startCluster(directory);
  const cells = [];
  try {
    const leader = await findLeader(members);
    const addresses = options.target === 'spread' ? members.map(({ client }) => client) : [leader.client];
    const seconds = Number(options.seconds) / (2 * clientCounts.length + 1);
    const say = options.json ? () => undefined : console.log;
    say(`${cpus().length} x ${cpus()[0].model}, Node ${process.version}; ${options['value-bytes']}-byte values,`);
    say(`three members and the generator on this machine, target: ${options.target}; CPU as % of one core\n`);
    say('op   in flight     /s   p50 ms  p99 ms  max ms   gen   members');
    // One unmeasured stretch fills the keys and lets the compiler settle.
    await measure({ members, addresses, operation: 'put', clients: 64, seconds });
    for (const operation of ['put', 'get']) {
      for (const clients of clientCounts) {
        const cell = await measure({ members, addresses, operation, clients, seconds });
        cells.push(cell);
        say(row(cell));
      }
    }
    if (options.json) console.log(JSON.stringify({ node: process.version, cpu: cpus()[0].model, cells }, null, 2));
  } finally {
    await stopCluster(members);
    if (options['data-dir'] === undefined) await rm(directory, { recursive: true, force: true });
  }
  if (cells.some((cell) => Object.keys(cell.errors).length > 0)) process.exitCode = 1;
}

if (options.help) console.log(help);
else await main();
