/** `quorate dev`: runs a whole cluster on this machine, shows it live, and stops it when asked to. */
import { join, relative, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { InvalidArgumentError, type Command } from 'commander';
import { QuorateError } from '../client';
import { wholeNumber } from './arguments';
import { errorText } from './client-command';
import { DevCluster, type Program } from './dev/cluster';
import { MAX_MEMBERS, maxBasePort, planCluster, type DevPlan } from './dev/plan';
import { checkDirectory, checkPorts, claimDirectory } from './dev/preflight';
import { screenFor, type Screen } from './dev/screen';
import { allAnswer, leaderOf, news, viewLines, type MemberView } from './dev/view';
import { exitCode } from './exit-code';
import { shellCommand } from './format';
import { exitWithUsage } from './usage';

/** How long the members have to elect a leader after the start, in milliseconds. */
const START_TIMEOUT_MS = 30_000;
/** How long the others have to answer once there is a leader, in milliseconds: two elect one before the third listens. */
const OTHERS_TIMEOUT_MS = 5000;
/** How often the members are asked, in milliseconds: while waiting for the first leader, and afterwards. */
const START_INTERVAL_MS = 100;
const LOOK_INTERVAL_MS = 500;

interface DevOptions {
  readonly members?: number;
  readonly basePort: number;
  readonly dataDir: string;
}

export function registerDevCommand(program: Command): void {
  const command = program
    .command('dev')
    .description('Run a whole cluster on this machine: one `quorate serve` process for each member, on loopback.')
    .option(
      '--members <n>',
      `number of members, 1 to ${String(MAX_MEMBERS)}, odd is best (default: as many as the directory has, or 3)`,
      wholeNumber(1, MAX_MEMBERS),
    )
    .option(
      '--base-port <port>',
      'client ports B, B+2, B+4, ..., peer ports B+1, B+3, ...',
      wholeNumber(1, 65_534),
      2379,
    )
    .option('--data-dir <dir>', 'where the members keep their data and logs', nonEmpty, join('.quorate', 'dev'));
  exitWithUsage(command).action(async (options: DevOptions) => {
    try {
      process.exitCode = await runDev(options);
      endAsHungUp();
    } catch (error) {
      process.stderr.write(`${errorText(error, false)}\n`);
      process.exitCode = error instanceof QuorateError ? exitCode.notDone : exitCode.bug;
    }
  });
}

function nonEmpty(text: string): string {
  if (text === '') throw new InvalidArgumentError('It must not be empty.');
  return text;
}

async function runDev(options: DevOptions): Promise<number> {
  const stop = stopSignal();
  const plan = await preflight(options);
  const program: Program = [process.execPath, join(__dirname, '..', 'main.js')];
  const screen = screenFor(process.stdout, process.env['TERM']);
  // However this process ends, the terminal gets its cursor back.
  process.once('exit', () => {
    screen.close();
  });
  sayStart(screen, plan);
  const cluster = new DevCluster(plan, program);
  try {
    return await run({ cluster, plan, screen, stop });
  } finally {
    screen.draw([]);
    screen.close();
    screen.say('Stopping all members ...');
    await cluster.stop();
    screen.say('All members have stopped.');
  }
}

async function preflight(options: DevOptions): Promise<DevPlan> {
  const dataDir = resolve(options.dataDir);
  const memberCount = checkDirectory(dataDir, options.members);
  if (options.basePort > maxBasePort(memberCount)) {
    const most = String(maxBasePort(memberCount));
    throw new QuorateError('refused-to-start', `--base-port must leave room for all ports: at most ${most}.`);
  }
  const plan = planCluster({ memberCount, basePort: options.basePort, dataDir });
  await checkPorts(plan.ports);
  claimDirectory(dataDir, memberCount);
  return plan;
}

/** Aborted when this process is asked to stop: Ctrl-C, SIGTERM, or the terminal or reader is gone. Asking twice is the same. */
function stopSignal(): AbortSignal {
  const controller = new AbortController();
  const stop = () => {
    controller.abort();
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, stop);
  process.on('SIGHUP', () => {
    hungUp = true;
    stop();
  });
  process.stdout.on('error', stop);
  process.stderr.on('error', stop);
  return controller.signal;
}

let hungUp = false;

/** Without its terminal, Node would end with a crash, when it cannot put the terminal back into its first state. */
function endAsHungUp(): void {
  if (!hungUp) return;
  process.removeAllListeners('SIGHUP');
  process.kill(process.pid, 'SIGHUP');
}

/** Everything a running cluster needs. */
interface Run {
  readonly cluster: DevCluster;
  readonly plan: DevPlan;
  readonly screen: Screen;
  readonly stop: AbortSignal;
}

async function run(context: Run): Promise<number> {
  const { stop } = context;
  const led = await waitForLeader(context);
  const views = led && (await waitForOthers(context, led));
  if (stop.aborted) return exitCode.ok;
  if (views === undefined) return exitCode.notDone;
  sayReady(context, views);
  await watch(context, views);
  return exitCode.ok;
}

/** Asks until somebody leads; `undefined` if that cannot be or takes too long, after saying why. */
async function waitForLeader({ cluster, screen, stop }: Run): Promise<MemberView[] | undefined> {
  const deadline = performance.now() + START_TIMEOUT_MS;
  const majority = Math.floor(cluster.size / 2) + 1;
  while (!stop.aborted) {
    const views = await cluster.look();
    if (leaderOf(views) !== undefined) return views;
    const tooFew = cluster.running < majority;
    if (tooFew || performance.now() > deadline) {
      sayWhyNot(cluster, screen, tooFew ? 'Too few members run' : 'No leader was elected in time');
      return undefined;
    }
    await pause(START_INTERVAL_MS, stop);
  }
  return undefined;
}

/** Asks until every member that runs answers, so that each address may be called; not for long, since a quorum is there. */
async function waitForOthers({ cluster, stop }: Run, led: readonly MemberView[]): Promise<readonly MemberView[]> {
  const deadline = performance.now() + OTHERS_TIMEOUT_MS;
  let views = led;
  while (!stop.aborted && !allAnswer(views) && performance.now() < deadline) {
    await pause(START_INTERVAL_MS, stop);
    views = await cluster.look();
  }
  return views;
}

/** Shows the members until this process is asked to stop. */
async function watch({ cluster, screen, stop }: Run, first: readonly MemberView[]): Promise<void> {
  let before = first;
  const draw = () => {
    screen.draw([...viewLines(before), 'Ctrl-C stops all members.']);
  };
  draw();
  for (;;) {
    await pause(LOOK_INTERVAL_MS, stop);
    if (stop.aborted) return;
    const after = await cluster.look();
    for (const line of news(before, after)) screen.say(`${timeOfDay()} ${line}`);
    before = after;
    draw();
  }
}

async function pause(delayMs: number, stop: AbortSignal): Promise<void> {
  try {
    await sleep(delayMs, undefined, { signal: stop });
  } catch (error) {
    if (!stop.aborted) throw error;
  }
}

function timeOfDay(): string {
  return new Date().toTimeString().slice(0, 8);
}

function sayStart(screen: Screen, plan: DevPlan): void {
  const count = plan.members.length;
  screen.say(`Starting ${String(count)} member${count === 1 ? '' : 's'}, data and logs in ${plan.dataDir}`);
  if (count % 2 === 0) {
    screen.say(`An even number of members survives no more failures than ${String(count - 1)} would.`);
  }
}

function sayReady({ plan, screen }: Run, views: readonly MemberView[]): void {
  const leader = leaderOf(views);
  const addresses = plan.members.map((member) => member.clientAddress);
  const quorate = shellCommand(['node', relative('.', join(__dirname, '..', 'main.js'))]);
  const first = addresses[0] ?? '';
  const last = addresses.at(-1) ?? first;
  if (leader !== undefined) screen.say(`${leader.member.name} leads term ${String(leader.term)}`);
  for (const line of [
    '',
    `Endpoints: ${addresses.join(',')}`,
    'Try, in another terminal:',
    `  ${quorate} put hello world --endpoints ${first}`,
    `  ${quorate} get hello --endpoints ${last}`,
    `  ${quorate} status --endpoints ${first}`,
    '',
  ]) {
    screen.say(line);
  }
}

function sayWhyNot(cluster: DevCluster, screen: Screen, problem: string): void {
  screen.say(`${problem}.`);
  for (const { name, words, logFile } of cluster.lastWords()) {
    screen.say(`${name} ended${words === '' ? '' : `: ${words}`} (its log: ${logFile})`);
  }
}
