// `npm run bench`: throughput and latency of a fresh three-member cluster on this machine, with CPU and memory of each
// member, beside those of a bare gRPC server (echo). Everything runs on loopback, in processes this script starts and
// stops; bounded by --seconds.
import { mkdtemp, rm } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { findLeader, startCluster, startEcho, stopAll } from './bench/cluster.mjs';
import { ensureLoad } from './bench/ensure-load.mjs';
import { measure } from './bench/measure.mjs';
import { writeGets, writePuts } from './bench/requests.mjs';

const { values: options } = parseArgs({
  options: {
    seconds: { type: 'string', default: '30' },
    clients: { type: 'string', default: '1,16,64' },
    connections: { type: 'string', default: '8' },
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
  --connections N   connections that share the calls in flight, at most one for each (default 8)
  --value-bytes N   size of each value (default 256)
  --keys N          number of different keys (default 10000)
  --target WHERE    leader, or spread over all members (default leader)
  --data-dir DIR    where the members keep their data (default a temporary directory, removed afterwards)
  --json            print the results as one JSON document

echo is a Put that a bare gRPC server answers at once: what this machine and the gRPC library allow.
gen is the load generator. CPU is in % of one core, and in microseconds for each call.`;

const say = options.json ? () => undefined : console.log;
const clientCounts = options.clients.split(',').map(Number);
// Each operation at each count, and two stretches that nobody measures.
const seconds = Number(options.seconds) / (3 * clientCounts.length + 2);
const connections = Number(options.connections);
const service = '/quorate.v1.KVService';

const cpuText = (cpu, usPerCall) => `${(cpu * 100).toFixed(0)}% ${usPerCall.toFixed(0)}us`;

function row(cell) {
  const members = cell.members.map(
    ({ name, cpu, usPerCall, rssMiB }) => `${name} ${cpuText(cpu, usPerCall)} ${rssMiB}MiB`,
  );
  const errors = Object.entries(cell.errors).map(([reason, count]) => `${count}x ${reason}`);
  return [
    cell.operation.padEnd(4),
    String(cell.clients).padStart(4),
    String(cell.perSecond).padStart(8),
    `${(cell.ofEcho * 100).toFixed(0)}%`.padStart(7),
    cell.p50Ms.toFixed(2).padStart(8),
    cell.p99Ms.toFixed(2).padStart(8),
    cell.maxMs.toFixed(1).padStart(8),
    cpuText(cell.generatorCpu, cell.generatorUsPerCall).padStart(11),
    `   ${members.join('  ')}`,
    errors.length === 0 ? '' : `  ERRORS ${errors.join(', ')}`,
  ].join('');
}

/** Measures each operation at each number of clients; one stretch before fills the keys and lets the compiler settle. */
async function measureAll(operations, target, echoes) {
  const cells = [];
  await measure({ ...operations[0], ...target, clients: Math.max(...clientCounts), connections, seconds });
  for (const operation of operations) {
    for (const [number, clients] of clientCounts.entries()) {
      const cell = await measure({ ...operation, ...target, clients, connections, seconds });
      cell.ofEcho = cell.perSecond / (echoes[number] ?? cell).perSecond;
      cells.push(cell);
      say(row(cell));
    }
  }
  return cells;
}

async function measureEcho(put) {
  const echo = await startEcho();
  try {
    return await measureAll([{ ...put, operation: 'echo' }], { addresses: [echo.client], members: [echo] }, []);
  } finally {
    await stopAll([echo]);
  }
}

async function measureCluster(put, get, { directory, echoes }) {
  const members = await startCluster(directory);
  try {
    const leader = await findLeader(members);
    const addresses = options.target === 'spread' ? members.map(({ client }) => client) : [leader.client];
    const named = members.map((member) => ({ ...member, name: member === leader ? `${member.name}*` : member.name }));
    return await measureAll([put, get], { addresses, members: named }, echoes);
  } finally {
    await stopAll(members);
  }
}

async function main() {
  await ensureLoad();
  const scratch = await mkdtemp(join(tmpdir(), 'quorate-bench-'));
  try {
    const [puts, gets] = [join(scratch, 'puts'), join(scratch, 'gets')];
    const put = { operation: 'put', requests: [{ path: `${service}/Put`, bodies: puts }] };
    const get = { operation: 'get', requests: [{ path: `${service}/Get`, bodies: gets }] };
    const keys = Number(options.keys);
    await writePuts(puts, { keys, valueBytes: Number(options['value-bytes']) });
    await writeGets(gets, { keys });
    say(`${cpus().length} x ${cpus()[0].model}, Node ${process.version}; ${options['value-bytes']}-byte values,`);
    say(`three members (* leads) and the generator on this machine, target: ${options.target}\n`);
    say('op   in flight     /s of echo  p50 ms  p99 ms  max ms        gen   members');
    const echoes = await measureEcho(put);
    const cells = await measureCluster(put, get, { directory: options['data-dir'] ?? scratch, echoes });
    cells.unshift(...echoes);
    if (options.json) console.log(JSON.stringify({ node: process.version, cpu: cpus()[0].model, cells }, null, 2));
    if (cells.some((cell) => Object.keys(cell.errors).length > 0)) process.exitCode = 1;
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

if (options.help) console.log(help);
else await main();
