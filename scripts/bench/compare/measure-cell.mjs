// One measurement of one cell on one system.
import { measure } from '../measure.mjs';

/** Connections that share the calls in flight. */
const connections = 8;

/**
 * @param {{ name: string, leader: any, members: readonly any[] }} system
 * @param {any} cell one of `cellsOf`
 * @param {{ clients: number, seconds: number, target: string }} how
 */
export async function measureCell(system, cell, { clients, seconds, target }) {
  await cell.before?.(system);
  const addresses = (target === 'spread' ? system.members : [system.leader]).map(({ client }) => client);
  const { members } = system;
  const job = { operation: cell.name, addresses, members, clients, connections, seconds };
  const main = measure({ ...job, requests: cell.requests[system.name], generator: cell.generator?.[system.name] });
  const beside = cell.beside === undefined ? undefined : writeBeside(job, cell.beside);
  const [measured] = await Promise.all([main, beside]);
  const units = cell.units?.[system.name] ?? 1;
  const perSecond = cell.counts === 'units' ? measured.unitsPerSecond : measured.perSecond * units;
  const failed = Object.values(measured.errors).reduce((sum, count) => sum + count, 0);
  return {
    ...measured,
    calls: measured.operations,
    perSecond,
    failed,
    usPerOperation: usPerOperation(measured, perSecond),
  };
}

/** One writer, for the watchers. */
function writeBeside(job, request) {
  return measure({ ...job, operation: 'beside', clients: 1, connections: 1, requests: [request] });
}

/** CPU of all members together, microseconds for each operation. */
function usPerOperation({ members }, perSecond) {
  const cpu = members.reduce((sum, member) => sum + member.cpu, 0);
  return perSecond === 0 ? 0 : (1e6 * cpu) / perSecond;
}
