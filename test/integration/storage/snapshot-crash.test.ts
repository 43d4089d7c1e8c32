/** A member that dies while it installs a snapshot: afterwards it has the old state or the new one (invariant N2). */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { seededRng } from '../../../src/base/rng';
import type { LogPosition } from '../../../src/raft';
import { entries, put } from '../../support/kv-entries';
import { bytesOf, clusterId, filePlace, nothing, replay, type FilePlace } from '../../support/kv-snapshots';

/** So many must have died in each step, and so many may be begun for that: the time until a kill is a guess. */
const deaths = { ready: 4, 'log reset': 8 };
const maxRounds = 60;
const oldIndex = 50;
const directories: string[] = [];
afterAll(() => {
  for (const directory of directories) rmSync(directory, { recursive: true, force: true });
});

interface Prepared {
  /** A directory as a member left it, with the state at `oldIndex`. */
  readonly old: FilePlace;
  readonly oldHash: string;
  readonly newHash: string;
  readonly last: LogPosition;
  readonly snapshotPath: string;
}

async function prepare(): Promise<Prepared> {
  const old = filePlace(directories);
  const oldMachine = replay(old.open(), oldIndex);
  const oldHash = oldMachine.hash();
  await oldMachine.close();
  const source = filePlace(directories);
  const machine = replay(source.open(), 2000);
  machine.apply(
    entries(
      2001,
      Array.from({ length: 200 }, (_, at) => put(`big ${String(at)}`, 'x'.repeat(20_000))),
    ),
  );
  const snapshot = await machine.takeSnapshot();
  const snapshotPath = join(source.directory, 'snapshot');
  writeFileSync(snapshotPath, await bytesOf(snapshot));
  const prepared = { old, oldHash, newHash: machine.hash(), last: snapshot.last, snapshotPath };
  await snapshot.release();
  await machine.close();
  return prepared;
}

interface Killed {
  /** The steps that the process told of, and when. */
  readonly steps: ReadonlyMap<string, number>;
  readonly place: FilePlace;
}

/** When to kill: so long after the process has told of a step. */
interface Moment {
  readonly step: 'ready' | 'log reset';
  readonly ms: number;
}

/** Runs an installation in a process of its own, and kills it; without a moment it comes to its end. */
async function runKilled({ old, snapshotPath, last }: Prepared, moment?: Moment): Promise<Killed> {
  const place = filePlace(directories);
  cpSync(old.directory, place.directory, { recursive: true });
  const script = join(__dirname, '../../support/state-child.cjs');
  const child = fork(script, [place.directory, snapshotPath, String(last.index), String(clusterId)], { execArgv: [] });
  const steps = new Map<string, number>();
  let timer: NodeJS.Timeout | undefined;
  child.on('message', (step: string) => {
    steps.set(step, performance.now());
    if (step === moment?.step) timer = setTimeout(() => child.kill('SIGKILL'), moment.ms);
  });
  await once(child, 'exit');
  clearTimeout(timer);
  return { steps, place };
}

/** What the log says: where it begins is durable, or not. */
function logStartOf(place: FilePlace): LogPosition {
  const path = join(place.directory, 'log-start');
  return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as LogPosition) : nothing;
}

describe('A member killed while it installs a snapshot', () => {
  it('opens with the old state before the log was reset, with the new one after, whenever it died (N2)', async () => {
    const prepared = await prepare();
    const { steps } = await runKilled(prepared);
    const at = (step: string): number => steps.get(step) ?? NaN;
    const durations = { ready: at('log reset') - at('ready'), 'log reset': at('installed') - at('log reset') };
    const rng = seededRng(20);
    const seen = { ready: 0, 'log reset': 0 };
    for (let round = 0; seen.ready < deaths.ready || seen['log reset'] < deaths['log reset']; round++) {
      // Dead before the log was reset, and in the middle of the switch: otherwise the test has tested nothing.
      if (round === maxRounds) throw new Error(`after ${String(round)} rounds only ${JSON.stringify(seen)} died`);
      const step = round % 3 === 0 ? 'ready' : 'log reset';
      const ms = (durations[step] * (rng.nextUint32() % 100)) / 100;
      const { steps: told, place } = await runKilled(prepared, { step, ms });
      const last = [...told.keys()].at(-1);
      if (last === 'ready' || last === 'log reset') seen[last]++;
      const logStart = logStartOf(place);
      // Twice: recovery that dies and is begun again must come to the same.
      for (let opening = 0; opening < 2; opening++) {
        const machine = place.open(logStart);
        expect(machine.hash()).toBe(logStart.index === 0 ? prepared.oldHash : prepared.newHash);
        await machine.close();
      }
      const leftOver = readdirSync(place.directory).filter((name) => !/^(state\.db|log-start)(\.new)?$/.test(name));
      expect(leftOver).toEqual([]);
    }
  }, 150_000);
});
