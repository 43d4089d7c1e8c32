// `npm run bench:compare`: quorate and Debian's etcd, fresh clusters of three members each on this machine, under the same
// load from the same generator, in turns. Bounded by its options; stops what it started.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { run } from '../lib/run.mjs';
import { at } from '../lib/paths.mjs';
import { stopAll } from './cluster.mjs';
import { cellsOf, prepare } from './compare/cells.mjs';
import { measureCell } from './compare/measure-cell.mjs';
import { summarise } from './compare/summary.mjs';
import { tableRow, tableTitle } from './compare/table.mjs';
import { writePage } from './compare/page.mjs';
import { etcdVersion, refuseUnsafe, startEtcd, startQuorate } from './compare/systems.mjs';
import { ensureLoad } from './ensure-load.mjs';

const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    rounds: { type: 'string' },
    seconds: { type: 'string' },
    cells: { type: 'string' },
    'in-flight': { type: 'string' },
    'value-bytes': { type: 'string', default: '256' },
    keys: { type: 'string', default: '10000' },
    target: { type: 'string', default: 'leader' },
    aged: { type: 'string', default: '0' },
    'member-args': { type: 'string', default: '' },
    json: { type: 'string' },
    page: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

const help = `Usage: npm run bench:compare -- [options]
  --quick            one round of short cells: under three minutes
  --rounds N         how often each cell is measured on each system, in turns (default 3; quick 1)
  --seconds N        length of one measurement (default 4; quick 1.5)
  --cells LIST       only these: put get stale-get mixed swap range bulk watch keep-alive
  --in-flight LIST   calls in flight (default 1,16,64,256; quick 1,64,256)
  --value-bytes N    size of each value (default 256)
  --keys N           number of different keys (default 10000)
  --target WHERE     leader, or spread over all members (default leader)
  --aged N           write N revisions into both before anything is measured (default 0)
  --member-args ARGS more arguments for each member of quorate
  --json FILE        write the results there
  --page             write docs/benchmarks.md and its pictures
Both clusters run all the time, and each is loaded in turn. Ratio: quorate to etcd, of the medians.`;

const rounds = Number(options.rounds ?? (options.quick ? 1 : 3));
const seconds = Number(options.seconds ?? (options.quick ? 1.5 : 4));
const inFlights = (options['in-flight'] ?? (options.quick ? '1,64,256' : '1,16,64,256')).split(',').map(Number);
const valueBytes = Number(options['value-bytes']);
const fillSeconds = 3;

/** The path of Debian's etcd. */
async function ensureEtcd() {
  const { ok, output } = await run(['bash', at('scripts', 'ensure-etcd.sh'), 'server'], { timeoutMs: 300_000 });
  const last = output.trim().split('\n').at(-1);
  if (!ok) throw new Error(last);
  return last;
}

/** Both systems in turn, the first one changing from round to round. */
async function measureBoth(systems, cell, clients) {
  const results = { quorate: [], etcd: [] };
  for (let round = 0; round < rounds; round++) {
    for (const system of round % 2 === 0 ? systems : [...systems].reverse()) {
      const measured = await measureCell(system, cell, { clients, seconds, target: options.target });
      results[system.name].push(measured);
    }
  }
  return { cell: cell.name, label: cell.label, clients, ...summarise(results) };
}

/** Fills the keys, whichever cells are measured, and lets quorate's compiler settle. */
async function fill(systems, all) {
  const put = all.find(({ name }) => name === 'put');
  for (const system of systems) await measureCell(system, put, { clients: 64, seconds: fillSeconds, target: 'leader' });
}

async function measureAll(systems, cells) {
  console.log(tableTitle);
  const rows = [];
  for (const cell of cells) {
    for (const clients of cell.inFlight ?? inFlights) {
      const row = await measureBoth(systems, cell, clients);
      rows.push(row);
      console.log(tableRow(row));
    }
  }
  return rows;
}

/** Brings both to the same age: puts as fast as each takes them, not measured. */
async function age(systems, cells, revisions) {
  const bulk = cells.find(({ name }) => name === 'bulk');
  for (const system of systems) {
    let written = 0;
    while (written < revisions) {
      const { calls } = await measureCell(
        system,
        { ...bulk, units: undefined },
        { clients: 16, seconds: 5, target: 'leader' },
      );
      written += calls * bulk.units[system.name];
      console.log(`${system.name} has taken ${written} of ${revisions} revisions`);
    }
  }
}

async function main() {
  refuseUnsafe();
  await ensureLoad();
  const etcd = await ensureEtcd();
  const scratch = await mkdtemp(join(tmpdir(), 'quorate-compare-'));
  const systems = [];
  try {
    const all = cellsOf(await prepare(scratch, { keys: Number(options.keys), valueBytes }));
    const cells = all.filter(({ name }) => options.cells === undefined || options.cells.split(',').includes(name));
    systems.push(
      await startQuorate(scratch, options['member-args'].split(' ').filter(Boolean)),
      await startEtcd(scratch),
    );
    const facts = {
      ...{ machine: `${cpus().length} x ${cpus()[0].model}`, node: process.version, etcd: await etcdVersion(etcd) },
      ...{
        valueBytes,
        keys: Number(options.keys),
        target: options.target,
        aged: Number(options.aged),
        rounds,
        seconds,
      },
    };
    console.log(
      `${facts.machine}; Node ${facts.node}, etcd ${facts.etcd}; ${valueBytes}-byte values, ${options.target}`,
    );
    if (facts.aged > 0) await age(systems, all, facts.aged);
    await fill(systems, all);
    const rows = await measureAll(systems, cells);
    if (options.json !== undefined) await writeFile(options.json, `${JSON.stringify({ facts, rows }, null, 2)}\n`);
    if (options.page) await writePage({ facts, rows });
    if (rows.some(({ failed }) => failed > 0)) process.exitCode = 1;
  } finally {
    await stopAll(systems.flatMap(({ members }) => members));
    await rm(scratch, { recursive: true, force: true });
  }
}

if (options.help) console.log(help);
else await main();
