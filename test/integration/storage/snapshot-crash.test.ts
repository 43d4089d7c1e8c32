/** A member that dies while it installs a snapshot: afterwards it has the old state or the new one (invariant N2). */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { seededRng } from '../../../src/base/rng';
import type { LogPosition } from '../../../src/raft';
import { entries, put } from '../../support/kv-entries';
import { bytesOf, clusterId, filePlace, nothing, replay, type FilePlace } from '../../support/kv-snapshots';

const rounds = 24;
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
  /** The last step that the process told of. */
  readonly step: string;
  readonly place: FilePlace;
  readonly tookMs: number;
}

/** Runs an installation in a process of its own, and kills it after a while; `Infinity` lets it end. */
async function runKilled({ old, snapshotPath, last }: Prepared, afterMs: number): Promise<Killed> {
  const place = filePlace(directories);
  cpSync(old.directory, place.directory, { recursive: true });
  const script = join(__dirname, '../../support/state-child.cjs');
  const child = fork(script, [place.directory, snapshotPath, String(last.index), String(clusterId)], { execArgv: [] });
  const steps: string[] = [];
  child.on('message', (step) => steps.push(String(step)));
  const exited = once(child, 'exit');
  await once(child, 'message');
  const startedAt = performance.now();
  const timer = afterMs === Infinity ? undefined : setTimeout(() => child.kill('SIGKILL'), afterMs);
  await exited;
  clearTimeout(timer);
  return { step: steps.at(-1) ?? 'none', place, tookMs: performance.now() - startedAt };
}

/** What the log says: where it begins is durable, or not. */
function logStartOf(place: FilePlace): LogPosition {
  const path = join(place.directory, 'log-start');
  return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as LogPosition) : nothing;
}

describe('A member killed while it installs a snapshot', () => {
  it('opens with the old state before the log was reset, with the new one after, whenever it died (N2)', async () => {
    const prepared = await prepare();
    const whole = await runKilled(prepared, Infinity);
    expect(whole.step).toBe('installed');
    const rng = seededRng(20);
    const seen = new Map<string, number>();
    for (let round = 0; round < rounds; round++) {
      const afterMs = (whole.tookMs * (round + (rng.nextUint32() % 100) / 100)) / rounds;
      const { step, place } = await runKilled(prepared, afterMs);
      seen.set(step, (seen.get(step) ?? 0) + 1);
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
    expect(seen.get('ready') ?? 0).toBeGreaterThan(0);
    expect((seen.get('log reset') ?? 0) + (seen.get('installed') ?? 0)).toBeGreaterThan(0);
  }, 60_000);
});
