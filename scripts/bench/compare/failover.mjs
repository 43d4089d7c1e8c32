// How long no write is acknowledged when the leader is killed.
import { setTimeout as sleep } from 'node:timers/promises';
import { measure } from '../measure.mjs';
import { leaderOf } from './systems.mjs';

const seconds = 9;
/** Of these, before the leader is killed. */
const calmSeconds = 3;
/** A member that was started again has so long to catch up. */
const returnSeconds = 3;
const writers = 16;

/**
 * Kills the leader (SIGKILL) while writers go on through the other two, and starts it again.
 *
 * @returns the longest time between two acknowledged writes, milliseconds
 */
export async function measureFailover(system, { requests }) {
  const { leader } = system;
  const others = system.members.filter((member) => member !== leader);
  const addresses = others.map(({ client }) => client);
  const job = { operation: 'failover', requests: requests[system.name], addresses, members: others };
  const written = measure({ ...job, clients: writers, connections: 8, seconds });
  await sleep(1000 * calmSeconds);
  leader.process.kill('SIGKILL');
  const { longestGapMs } = await written;
  leader.restart();
  system.leader = await leaderOf(system.members);
  await sleep(1000 * returnSeconds);
  return longestGapMs;
}
