// `npm run bench:compare`: quorate and Debian's etcd, fresh clusters of three members each on this machine, under the same
// load from the same generator, in turns. Bounded by its options; stops what it started.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { run } from '../lib/run.mjs';
import { at } from '../lib/paths.mjs';
import { makeCertificates } from './certificates.mjs';
import { stopAll } from './cluster.mjs';
import { cellsOf, prepare } from './compare/cells.mjs';
import { measureFailover } from './compare/failover.mjs';
import { measureCell } from './compare/measure-cell.mjs';
import { failovers, pageParts, startups } from './compare/parts.mjs';
import { fillKeys, measureStartup } from './compare/startup.mjs';
import { summarise } from './compare/summary.mjs';
import { tableRow, tableTitle } from './compare/table.mjs';
import { writePage } from './compare/page.mjs';
import { etcdVersion, leaderOf, startEtcd, startQuorate, unsafeReason } from './compare/systems.mjs';
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
    tls: { type: 'boolean', default: false },
    'member-args': { type: 'string', default: '' },
    json: { type: 'string' },
    page: { type: 'boolean', default: false },
    startup: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

const help = `Usage: npm run bench:compare -- [options]
  --quick            one round of short cells: under three minutes
  --rounds N         how often each cell is measured on each system, in turns (default 3; quick 1)
  --seconds N        length of one measurement (default 4; quick 1.5; page 2.5)
  --cells LIST       only these: put get stale-get mixed swap range bulk watch keep-alive
  --in-flight LIST   calls in flight (default 1,16,64,256; quick 1,64,256)
  --value-bytes N    size of each value (default 256)
  --keys N           number of different keys (default 10000)
  --target WHERE     leader, or spread over all members (default leader)
  --aged N           write N revisions into both before anything is measured, and measure two fresh clusters in turn with
                     them (default 0)
  --tls              clients and members of both systems use TLS
  --member-args ARGS more arguments for each member of quorate
  --json FILE        write the results there
  --startup          only how long a member with a million keys takes to start
  --page             measure what docs/benchmarks.md shows (a quarter of an hour), and write it and its pictures
Both clusters run all the time, and each is loaded in turn. Ratio: quorate to etcd, of the medians.`;

const rounds = Number(options.rounds ?? (options.quick ? 1 : 3));
const seconds = Number(options.seconds ?? (options.quick ? 1.5 : options.page ? 2.5 : 4));
const keys = Number(options.keys);
const fillSeconds = 3;

/** What the options ask for, as a part. */
const asked = {
  valueBytes: Number(options['value-bytes']),
  target: options.target,
  aged: Number(options.aged),
  // The page has a part of its own for it.
  tls: options.tls && !options.page,
  cells: options.cells?.split(','),
  inFlights: (options['in-flight'] ?? (options.quick ? '1,64,256' : '1,16,64,256')).split(',').map(Number),
};

/** The path of Debian's etcd. */
async function ensureEtcd() {
  const { ok, output } = await run(['bash', at('scripts', 'ensure-etcd.sh'), 'server'], { timeoutMs: 300_000 });
  const last = output.trim().split('\n').at(-1);
  if (!ok) throw new Error(last);
  return last;
}

/** All systems in turn, the first one changing from round to round. With aged ones there are fresh ones to compare with. */
async function measureRow(systems, cell, { clients, target }) {
  const results = new Map(systems.map((system) => [system, []]));
  for (let round = 0; round < rounds; round++) {
    for (const system of round % 2 === 0 ? systems : [...systems].reverse()) {
      results.get(system).push(await measureCell(system, cell, { clients, seconds, target }));
    }
  }
  const of = (wanted) => Object.fromEntries(systems.filter(wanted).map((system) => [system.name, results.get(system)]));
  const fresh = of(({ isForComparison }) => isForComparison);
  return {
    ...{ cell: cell.name, label: cell.label, clients },
    ...summarise(of(({ isForComparison }) => !isForComparison)),
    ...(fresh.quorate === undefined ? {} : { fresh: summarise(fresh) }),
  };
}

/** Fills the keys, whichever cells are measured, and lets quorate's compiler settle. */
async function fill(systems, all) {
  const put = all.find(({ name }) => name === 'put');
  for (const system of systems) await measureCell(system, put, { clients: 64, seconds: fillSeconds, target: 'leader' });
}

async function measureAll(systems, cells, { inFlights, target }) {
  console.log(tableTitle);
  const rows = [];
  for (const cell of cells) {
    for (const clients of cell.inFlight ?? inFlights) {
      const row = await measureRow(systems, cell, { clients, target });
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
    // Under such a load it may have changed.
    system.leader = await leaderOf(system.members);
  }
}

/** Starts a cluster of each system below a directory. */
async function startBoth(directory, tls) {
  const memberArgs = options['member-args'].split(' ').filter(Boolean);
  return [await startQuorate(directory, memberArgs, tls), await startEtcd(directory, tls)];
}

/** Runs `work` with fresh clusters of both systems and all cells; removes them afterwards. */
async function withSystems(part, work) {
  const scratch = await mkdtemp(join(tmpdir(), 'quorate-compare-'));
  const systems = [];
  try {
    const all = cellsOf(await prepare(scratch, { keys, valueBytes: part.valueBytes }));
    const tls = part.tls ? await makeCertificates(scratch) : undefined;
    systems.push(...(await startBoth(scratch, tls)));
    if (part.aged > 0) {
      const more = await startBoth(join(scratch, 'fresh'), tls);
      systems.push(...more.map((system) => ({ ...system, isForComparison: true })));
    }
    return await work(systems, all);
  } finally {
    await stopAll(systems.flatMap(({ members }) => members));
    await rm(scratch, { recursive: true, force: true });
  }
}

/** Measures the cells of a part. */
async function measurePart(part) {
  console.log(
    `${part.title ?? 'Both systems'}: ${part.valueBytes}-byte values, to: ${part.target}${part.tls ? ', TLS' : ''}`,
  );
  const rows = await withSystems(part, async (systems, all) => {
    const toAge = systems.filter(({ isForComparison }) => !isForComparison);
    if (part.aged > 0) await age(toAge, all, part.aged);
    await fill(systems, all);
    return measureAll(
      systems,
      all.filter(({ name }) => part.cells === undefined || part.cells.includes(name)),
      part,
    );
  });
  return { ...part, rows };
}

/** How long writes stand still when the leader is killed: each time, by system. */
async function measureFailovers() {
  return withSystems(asked, async (systems, all) => {
    await fill(systems, all);
    const put = all.find(({ name }) => name === 'put');
    const gaps = { quorate: [], etcd: [] };
    for (let round = 0; round < failovers; round++) {
      for (const system of systems) gaps[system.name].push(Math.round(await measureFailover(system, put)));
      const last = systems.map(({ name }) => `${name} ${gaps[name].at(-1)} ms`).join(', ');
      console.log(`leader killed, writes stand still: ${last}`);
    }
    return gaps;
  });
}

/** How long a follower with many keys takes to end and to start: each time, by signal and by system. */
async function measureStartups() {
  return withSystems(asked, async (systems) => {
    for (const system of systems) await fillKeys(system, startups);
    console.log(`both hold ${startups.keys} keys`);
    const all = [];
    for (const signal of ['SIGTERM', 'SIGKILL']) {
      const times = { quorate: [], etcd: [] };
      for (let round = 0; round < startups.rounds; round++) {
        for (const system of systems) times[system.name].push(await measureStartup(system, signal));
        const last = systems.map(({ name }) => `${name} ${times[name].at(-1).startMs} ms`).join(', ');
        console.log(`a follower starts after ${signal}: ${last}`);
      }
      all.push({ signal, times });
    }
    return all;
  });
}

async function main() {
  await ensureLoad();
  const etcd = await ensureEtcd();
  const facts = {
    ...{ machine: `${cpus().length} x ${cpus()[0].model}`, node: process.version, etcd: await etcdVersion(etcd) },
    ...{ keys, rounds, seconds },
  };
  console.log(`${facts.machine}; Node ${facts.node}, etcd ${facts.etcd}`);
  if (options.startup) {
    await measureStartups();
    return;
  }
  const parts = [];
  for (const part of options.page ? pageParts : [{}]) parts.push(await measurePart({ ...asked, ...part }));
  const gaps = options.page ? await measureFailovers() : undefined;
  const starts = options.page ? await measureStartups() : undefined;
  const results = { facts, parts, gaps, starts };
  if (options.json !== undefined) await writeFile(options.json, `${JSON.stringify(results, null, 2)}\n`);
  if (options.page) await writePage(results);
  if (parts.some(({ rows }) => rows.some(({ failed }) => failed > 0))) process.exitCode = 1;
}

const refused = unsafeReason();
if (options.help) console.log(help);
else if (refused === undefined) await main();
else {
  console.error(`error: ${refused}`);
  process.exitCode = 2;
}
