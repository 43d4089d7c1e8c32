/** The second phase (TigerBeetle's VOPR): a quorum is healed and must work, whatever happens to the others; then all are. */
import { required } from '../base/assert';
import type { Rng } from '../base/rng';
import { isMember, isVoter, reachedByQuorum, type MemberId } from '../raft';
import { maxLeaseClockStepMs } from '../kv/command';
import { answerGraceMs } from '../kv/lessor';
import { check } from './checkers/checker';
import type { FaultSchedule } from './fault-schedule';
import type { Plan } from './plan';
import { chanceFor, isLucky, shuffled } from './world/chance';
import type { Call } from './workload/call';
import { maxTtl } from './workload/operation-kind';
import type { SimMember } from './world/member';
import type { World } from './world/world';

/** How long the healed quorum may take for each of its duties, in election timeouts. */
const electionBound = 10;
const convergenceBound = 30;
/** On top, for each entry that somebody misses: where they go one by one, each takes a round trip and a write, ms. */
const catchUpMs = 200;
/** After so long nothing is on its way any more that was sent before. */
const drainMs = 2500;
/** How long it must then work without a disturbance. */
const calmBound = 5;

/**
 * Returns false if no quorum is left to be healed.
 *
 * @throws Violation L1 to L4, N5
 */
export async function recover(world: World, faults: FaultSchedule, plan: Plan): Promise<boolean> {
  const rng = chanceFor(plan.seed, 'recovery');
  const core = smallestCore(world, rng);
  if (core === undefined) return false;
  const others = world.present.filter((member) => !core.includes(member));
  world.network.corruptionRate = 0;
  world.network.quality = { ...world.network.quality, lossRate: 0 };
  healAmong(world, faults, core);
  world.network.heal();
  abandon(world, rng, { core, others });
  world.pointClientsAt(() => onDuty(world, core));
  world.note('fault', undefined, `RECOVERY of ${core.map(({ name }) => name).join(' ')}`);
  await converge(world, plan, core);
  await stayCalm(world, plan, core);
  healAmong(world, faults, world.present);
  world.network.heal();
  world.pointClientsAt(() => onDuty(world, world.present));
  world.note('fault', undefined, 'RECOVERY of all');
  await converge(world, plan, world.present);
  await comeToRest(world, plan);
  return true;
}

/** What is left of leases once nobody renews any, at most: see docs/adr/0006-time-in-the-store.md. */
const restMs = maxTtl * 1000 + 2 * maxLeaseClockStepMs + answerGraceMs;
/** On top: rounds, elections, commits. */
const restMarginMs = 10_000;

/** E3: leases end once nobody renews them. W3: whoever watches is told of everything. */
async function comeToRest(world: World, plan: Plan): Promise<void> {
  const { leases, model } = world.witness;
  world.stopClients();
  for (const watcher of world.watchers) watcher.hurry();
  const { maxDriftRate, taskOptions } = plan;
  const isAtRest = (): boolean => model.store.leases.size === 0;
  const queueMs = (model.store.leases.size / taskOptions.maxExpiriesPerSecond) * 1000;
  await world.runFor((restMs + queueMs) / (1 - maxDriftRate) + restMarginMs, isAtRest);
  leases.checkNoneLeft();
  const isTold = (): boolean => world.watchers.every(({ revision }) => revision >= model.store.revision);
  await world.runFor(restMarginMs, isTold);
  check(isTold(), 'W3', () => `watches are not told of everything up to ${model.store.revision}`);
}

/**
 * As few as are a quorum of every configuration that somebody goes by; `undefined` if all of them together are not. All of them
 * while a member may be on its way out, or a learner on its way to a vote: a leader that has heard from others lately may still
 * take in such a change, and then the few are no quorum any more (seeds 4200692 and 8100810).
 */
function smallestCore(world: World, rng: Rng): readonly SimMember[] | undefined {
  const configurations = world.configurationsInForce();
  const isQuorum = (members: readonly SimMember[]): boolean => {
    const has = (id: MemberId): 0 | 1 => (members.some((member) => member.id === id) ? 1 : 0);
    return configurations.every((configuration) => reachedByQuorum(configuration, has) === 1);
  };
  let core = world.present.filter(({ isDead, disk }) => !isDead && disk.rotten.size === 0);
  if (!isQuorum(core)) return undefined;
  if (world.room?.operator.isInDoubt === true || configurations.some(({ learners }) => learners.length > 0))
    return core;
  for (const member of shuffled(rng, core)) {
    const fewer = core.filter((other) => other !== member);
    if (isQuorum(fewer)) core = fewer;
  }
  return core;
}

/** Those of them that now have duties: members, and not for ever lost. */
function onDuty(world: World, members: readonly SimMember[]): readonly SimMember[] {
  const { configuration } = world.witness.history;
  return members.filter(({ id, isGone, isDead }) => !isGone && !isDead && isMember(configuration, id));
}

function healAmong(world: World, faults: FaultSchedule, core: readonly SimMember[]): void {
  const ids = new Set(core.map(({ id }) => id));
  faults.endFor(ids);
  world.network.heal(world.network.links.filter(({ from, to }) => ids.has(from) && ids.has(to)));
  for (const member of core) {
    member.disk.setSlowness(1);
    member.disk.isFull = false;
    member.disk.setStalled(false);
    member.resume();
    world.restart(member);
  }
}

/** Those outside the core hear nothing, are heard by nobody, both, or neither; their other troubles stay as they are. */
function abandon(
  { network }: World,
  rng: Rng,
  { core, others }: { readonly core: readonly SimMember[]; readonly others: readonly SimMember[] },
): void {
  for (const { id, disk, isPaused } of others) {
    const isDeaf = isLucky(rng, 0.5);
    // Who stands still may have been told to campaign (thesis §3.10), which nobody refuses however late it comes.
    const isMute = isLucky(rng, 0.5) || isPaused || disk.isStalled || disk.slowness > 1;
    for (const member of core) {
      if (isMute) network.setCut(network.link(id, member.id), true);
      if (isDeaf) network.setCut(network.link(member.id, id), true);
    }
  }
}

/** L1 a leader, L2 progress, L3 equal states, each within its bound. */
async function converge(world: World, plan: Plan, core: readonly SimMember[]): Promise<void> {
  const { electionTimeoutMs } = plan.raftOptions;
  const hasLeader = (): boolean => onDuty(world, core).every((member) => member.isUp && member.hasQuorum);
  await world.runFor(electionBound * electionTimeoutMs, hasLeader);
  // A leader has a quorum once it has committed in its term, for which it may need one that has to catch up first.
  if (world.leader !== undefined) await world.runFor(catchUpBoundMs(plan, mostLacking(world, core)), hasLeader);
  check(hasLeader(), 'L1', () => `no leader ${electionBound} election timeouts after a quorum was healed`);
  const before = world.witness.history.committed.length;
  const { calls } = world;
  const firstNew = calls.length;
  const { committed } = world.witness.history;
  const isCommitted = (): boolean => committed.length > before;
  const isAnswered = (): boolean => calls.slice(firstNew).some(({ outcome }) => outcome === 'ok');
  await world.runFor(convergenceBound * electionTimeoutMs, () => isCommitted() && isAnswered());
  check(isCommitted(), 'L2', () => 'nothing is committed after a quorum was healed');
  check(isAnswered(), 'L2', () => 'no call succeeds any more');
  // Where clients go on writing, each entry is first in one place: there may be no moment at which all are equal.
  world.pauseClients(true);
  const isEqual = (): boolean => onDuty(world, core).every(({ appliedIndex }) => appliedIndex === committed.length);
  const missing = Math.max(...onDuty(world, core).map(({ appliedIndex }) => committed.length - appliedIndex));
  await world.runFor(catchUpBoundMs(plan, missing), isEqual);
  world.pauseClients(false);
  checkEqual(onDuty(world, core));
  // K1: and that is the state which the order of commits gives, with every acknowledged write in it (D1).
  for (const member of onDuty(world, core)) world.witness.shown(member.read());
  if (world.failure !== undefined) throw world.failure;
}

function checkEqual(core: readonly SimMember[]): void {
  const [first, ...others] = core;
  const index = required(first, 'a quorum has a member').appliedIndex;
  for (const other of others) {
    check(
      other.appliedIndex === index,
      'L3',
      () => `${first?.name} has applied ${index}, ${other.name} ${other.appliedIndex}`,
    );
    check(other.hash() === first?.hash(), 'N5', () => `${first?.name} and ${other.name} differ after entry ${index}`);
  }
}

/** L4: whoever is outside disturbs nobody. Then the leadership is handed over, which no patient caller may notice. */
async function stayCalm(world: World, plan: Plan, core: readonly SimMember[]): Promise<void> {
  const { electionTimeoutMs } = plan.raftOptions;
  await world.runFor(drainMs);
  // One outside may still lose the leadership for good reasons.
  if (!core.some(({ seen }) => seen?.role === 'leader')) return;
  const { configurations } = world.witness.history;
  const before = configurations.length;
  const voters = onDuty(world, core);
  const terms = voters.map(({ seen }) => seen?.term);
  const firstNew = world.calls.length;
  await world.runFor(calmBound * electionTimeoutMs);
  // A change that was still under way may take the leader out, or whom clients ask.
  if (configurations.length > before) return;
  voters.forEach(({ name, seen }, at) => {
    check(seen?.term === terms[at], 'L4', () => `${name} goes from term ${terms[at]} to ${seen?.term} for no reason`);
  });
  checkCalls(world, plan, { firstNew, deadlineMs: 2 * electionTimeoutMs });
  await handOver(world, plan, core);
}

/** How often a transfer is asked for before it must have come about. */
const transferAttempts = 3;

/** L7: a transfer comes about. One that is given up in time is right too: where entries go one by one, each takes a round trip. */
async function handOver(world: World, plan: Plan, core: readonly SimMember[]): Promise<void> {
  const heir = onDuty(world, core).find(
    ({ id }) => id !== world.leader?.id && isVoter(world.witness.history.configuration, id),
  );
  if (heir === undefined || world.leader === undefined) return;
  const { electionTimeoutMs } = plan.raftOptions;
  const firstNew = world.calls.length;
  const termBefore = world.leader.seen?.term ?? 0;
  let outcome: unknown;
  let isBehind = false;
  for (let attempt = 0; attempt < transferAttempts && outcome !== 'done'; attempt++) {
    isBehind ||= lackOf(heir, world) * catchUpMs > electionTimeoutMs;
    outcome = await transferTo(heir, world, plan);
    // Asked once, it leads in the next term: a second one was campaigned for because somebody refused it.
    const term = heir.seen?.term ?? 0;
    check(
      attempt > 0 || outcome !== 'done' || term === termBefore + 1,
      'L7',
      () => `${heir.name} is handed the leadership of term ${termBefore} in calm times, and leads in term ${term}`,
    );
  }
  // The leader waits for its successor for an election timeout. Where clients write more than the network carries, the
  // successor lacks more than comes to it in that time, whenever it is asked: the transfer must come about once it has it.
  if (outcome !== 'done' && isBehind) {
    world.pauseClients(true);
    await world.runFor(catchUpBoundMs(plan, lackOf(heir, world)), () => lackOf(heir, world) === 0);
    outcome = await transferTo(heir, world, plan);
    world.pauseClients(false);
  }
  check(outcome === 'done', 'L7', () => `the leadership does not go to ${heir.name} in calm times: ${String(outcome)}`);
  checkCalls(world, plan, { firstNew, deadlineMs: calmBound * electionTimeoutMs });
}

/** How long it may take until those have caught up who lack so many entries, or a snapshot that holds them, ms. */
function catchUpBoundMs({ raftOptions }: Plan, entries: number): number {
  return convergenceBound * raftOptions.electionTimeoutMs + entries * catchUpMs;
}

function mostLacking(world: World, core: readonly SimMember[]): number {
  return Math.max(0, ...onDuty(world, core).map((member) => lackOf(member, world)));
}

/** How many entries of the leader's log a member does not have on its disk. */
function lackOf({ disk }: SimMember, { leader }: World): number {
  return Math.max(0, (leader?.seen?.lastIndex ?? 0) - disk.lastIndex);
}

/** What came of asking for a transfer: `done`, an error, or nothing yet. */
async function transferTo(heir: SimMember, world: World, plan: Plan): Promise<unknown> {
  const patienceMs = calmBound * plan.raftOptions.electionTimeoutMs;
  let outcome: unknown;
  heir.change({ $case: 'transfer', value: { name: heir.name } }, patienceMs, (answer) => {
    answer.then(
      () => (outcome = 'done'),
      (error: unknown) => (outcome = error),
    );
  });
  await world.runFor(patienceMs);
  return outcome;
}

/** How long a caller can wait, ms: a grant that is heard of only when the lease may be over is none (seed 8300094). */
function patienceMs({ deadlineMs, operation }: Call): number {
  const isGrant = operation.kind === 'mutation' && operation.command.kind === 'lease-grant';
  return isGrant ? Math.min(deadlineMs, 1000 * (operation.command.ttl - 1) + answerGraceMs) : deadlineMs;
}

/** L2: a call with enough time is done. */
function checkCalls(
  world: World,
  plan: Plan,
  { firstNew, deadlineMs }: { readonly firstNew: number; readonly deadlineMs: number },
): void {
  const patient = world.calls.slice(firstNew).filter((call) => patienceMs(call) >= deadlineMs);
  const failed = patient.find((call) => !isGoodEnough(call, plan) && !isOvertaken(call, world));
  check(
    failed === undefined,
    'L2',
    () => `call ${failed?.id} fails in calm times: ${failed?.error ?? failed?.outcome}`,
  );
}

/**
 * Whose member took a snapshot in meanwhile, or waited for one: what it had handed to the leader may be in there, and it cannot
 * know, or its caller waits no longer. Where logs are cut soon, a member may fall behind at any time (seed 372).
 */
function isOvertaken({ outcome, invokedAt, returnedAt }: Call, { snapshotsAt }: World): boolean {
  return outcome === 'ambiguous' && snapshotsAt.some((at) => invokedAt <= at && at <= returnedAt);
}

/** Done, or on its way, or refused because a bound of this seed is small; or an answer was lost between member and client. */
function isGoodEnough({ outcome, error }: Call, { habits }: Plan): boolean {
  if (outcome === 'ok' || outcome === 'open' || error === 'overloaded') return true;
  return error === undefined && habits.lossRate > 0;
}
