/**
 * A power cut of all members at once, on one machine: each member's data lies on an ext4 file system in a file, mounted
 * through a loop device. The backing file holds only what the file system has really flushed, so a copy of it, taken
 * while the member stands still, is what a power cut would have left.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ProcessCluster } from '../../support/process-cluster';
import { contradictions, SteadyWriters, type Account } from '../../support/steady-writers';

/** A disk whose power can be cut. */
class CuttableDisk {
  readonly directory: string;
  readonly #image: string;
  readonly #mounted: string[] = [];

  constructor(base: string, name: string) {
    this.directory = join(base, `${name}.mnt`);
    this.#image = join(base, `${name}.img`);
    execFileSync('truncate', ['-s', '128M', this.#image]);
    execFileSync('mkfs.ext4', ['-q', '-F', this.#image]);
    // The journal's own commit interval is far away: only an fsync reaches the disk.
    this.#mount(this.#image, this.directory, 'loop,commit=300');
  }

  /** Keeps what is on the disk at this instant. */
  cut(): void {
    execFileSync('cp', ['--sparse=always', this.#image, `${this.#image}.cut`]);
  }

  /** Brings back what was on the disk at the cut; the file system repairs itself from its journal. */
  restore(): string {
    const restored = `${this.directory}.restored`;
    this.#mount(`${this.#image}.cut`, restored, 'loop');
    return restored;
  }

  remove(): void {
    for (const directory of this.#mounted) execFileSync('umount', [directory]);
  }

  #mount(image: string, directory: string, options: string): void {
    mkdirSync(directory);
    execFileSync('mount', ['-o', options, image, directory]);
    this.#mounted.push(directory);
  }
}

/** True if this process may mount loop devices. */
function canMount(): boolean {
  const base = mkdtempSync(join(tmpdir(), 'quorate-mount-'));
  try {
    new CuttableDisk(base, 'probe').remove();
    return true;
  } catch {
    return false;
  } finally {
    rmSync(base, { recursive: true, force: true });
  }
}

/** What is wrong with the members that came back, or that some of them did not. */
async function wrongAfter(cluster: ProcessCluster, account: Account): Promise<readonly string[]> {
  const wrong: string[] = [];
  try {
    const leader = await cluster.leader();
    await cluster.client([leader]).get('power');
    await cluster.converged();
  } catch (error) {
    return [`not all came back: ${String(error)}`];
  }
  for (const member of cluster.members) wrong.push(...contradictions(account, await cluster.contents(member)));
  return wrong;
}

async function writeAndCutPower(env: Record<string, string>): Promise<{ account: Account; wrong: readonly string[] }> {
  const base = mkdtempSync(join(tmpdir(), 'quorate-power-'));
  const disks = new Map(['m1', 'm2', 'm3'].map((name) => [name, new CuttableDisk(base, name)]));
  const cluster = await ProcessCluster.start({
    env,
    dataDirOf: (name) => join(disks.get(name)?.directory ?? '', 'data'),
  });
  try {
    const writers = new SteadyWriters('power', [
      cluster.client(),
      cluster.client(),
      cluster.client(),
      cluster.client(),
    ]);
    await writers.more(500);
    for (const member of cluster.members) cluster.signal(member, 'SIGSTOP');
    for (const disk of disks.values()) disk.cut();
    await Promise.all(cluster.members.map((member) => cluster.end(member, 'SIGKILL')));
    const account = await writers.stop();

    for (const member of cluster.members) {
      cluster.startMember(member, join(disks.get(member.name)?.restore() ?? '', 'data'));
    }
    return { account, wrong: await wrongAfter(cluster, account) };
  } finally {
    await cluster.stop();
    for (const disk of disks.values()) disk.remove();
    rmSync(base, { recursive: true, force: true });
  }
}

const mountable = canMount();
if (!mountable) {
  if (process.env.CI === 'true')
    throw new Error('the power-cut test needs to mount loop devices, and must not be skipped in CI');
  console.warn('SKIPPED: the power-cut test needs root and loop devices');
}

(mountable ? describe : describe.skip)('a power cut of all three members', () => {
  it('loses no acknowledged write', async () => {
    const { account, wrong } = await writeAndCutPower({});
    expect(account.acknowledged).toBeGreaterThanOrEqual(500);
    expect(wrong).toEqual([]);
  }, 120_000);

  it('would be noticed: with synchronous=NORMAL forced, acknowledged writes are lost', async () => {
    // Members may also be unable to come back at all, one or all, having noticed what is missing.
    const { account, wrong } = await writeAndCutPower({ QUORATE_UNSAFE_SYNCHRONOUS: 'NORMAL' });
    expect(account.acknowledged).toBeGreaterThanOrEqual(500);
    expect(wrong.length).toBeGreaterThan(0);
  }, 120_000);
});
