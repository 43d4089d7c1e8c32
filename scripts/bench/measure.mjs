// One cell of a benchmark: the load generator at work, and what it and the loaded processes used meanwhile.
import { readFile } from 'node:fs/promises';
import { run } from '../lib/run.mjs';
import { ensureLoad } from './ensure-load.mjs';

/** CPU seconds and resident bytes of a process so far (Linux). */
export async function usage(pid) {
  const stat = (await readFile(`/proc/${pid}/stat`, 'utf8')).split(') ')[1].split(' ');
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return {
    cpuSeconds: (Number(stat[11]) + Number(stat[12])) / 100,
    rssBytes: Number(/VmRSS:\s+(\d+)/.exec(status)[1]) * 1024,
  };
}

const usages = (members) => Promise.all(members.map((member) => usage(member.process.pid)));

/**
 * Runs the load generator once (`load/load.cc` describes its options and its result).
 *
 * @param {{ requests: readonly { path: string, bodies: string }[] } & Readonly<Record<string, any>>} options by name
 */
export async function load(options) {
  const { requests, ...others } = options;
  const args = [
    ...requests.flatMap(({ path, bodies }) => ['--path', path, '--bodies', bodies]),
    ...Object.entries(others).flatMap(([name, value]) => [`--${name}`, String(value)]),
  ];
  const timeoutMs = (options.seconds + options.warmup + 30) * 1000;
  const { ok, output } = await run([await ensureLoad(), ...args], { timeoutMs });
  if (!ok) throw new Error(`the load generator failed: ${output.trim()}`);
  return JSON.parse(output);
}

/**
 * Loads `addresses` with `clients` calls in flight, a tenth of the time unmeasured.
 *
 * @param {{ operation: string, requests: readonly { path: string, bodies: string }[], addresses: readonly string[],
 *   clients: number, connections: number, seconds: number, generator?: Readonly<Record<string, number>>,
 *   members: readonly { name: string, process: import('node:child_process').ChildProcess, ca?: string }[] }} job
 *   `generator`: more of the load generator's options, by name; `ca`: of members that use TLS, their authority's file
 */
export async function measure({ operation, requests, addresses, clients, connections, seconds, members, generator }) {
  const before = await usages(members);
  const startedAt = performance.now();
  const result = await load({
    ...{ requests, addresses: addresses.join(','), 'in-flight': clients, connections, ...generator },
    ...(members[0].ca === undefined ? {} : { 'tls-ca': members[0].ca }),
    ...{ seconds: 0.9 * seconds, warmup: 0.1 * seconds },
  });
  const elapsed = (performance.now() - startedAt) / 1000;
  const after = await usages(members);
  return {
    operation,
    clients,
    perSecond: Math.round(result.calls / result.elapsedSeconds),
    p50Ms: result.latencyMs.p50,
    p95Ms: result.latencyMs.p95,
    p99Ms: result.latencyMs.p99,
    p999Ms: result.latencyMs.p999,
    maxMs: result.latencyMs.max,
    longestGapMs: result.longestGapMs,
    errors: result.errors,
    operations: result.calls,
    unitsPerSecond: Math.round(result.units / result.elapsedSeconds),
    generatorCpu: result.cpuSeconds / result.elapsedSeconds,
    generatorUsPerCall: (1e6 * result.cpuSeconds) / result.calls,
    members: members.map(({ name }, number) => {
      const cpuSeconds = after[number].cpuSeconds - before[number].cpuSeconds;
      return {
        name,
        cpu: cpuSeconds / elapsed,
        usPerCall: (1e6 * cpuSeconds) / result.sent,
        rssMiB: Math.round(after[number].rssBytes / 2 ** 20),
      };
    }),
  };
}
