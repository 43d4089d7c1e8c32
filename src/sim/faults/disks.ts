/** Disks that are slow, stand still, refuse, or no longer hold what was written. */
import { between } from '../../base/rng';
import { isLucky, pick, real } from '../world/chance';
import { duration, type FaultKind } from './fault';

/** Writes and reads take many times as long. */
export const slowDisk: FaultKind = {
  name: 'slow disk',
  meanGapMs: 8000,
  strike(victim, rng) {
    const { disk, id } = pick(rng, victim.members);
    if (disk.slowness !== 1) return undefined;
    disk.setSlowness(real(rng, 5, 500));
    const heal = (): void => disk.setSlowness(1);
    return {
      what: `disk of ${id} is ${disk.slowness.toFixed(0)} times slower`,
      members: [id],
      lastsMs: duration(rng),
      end: heal,
    };
  },
};

/** Nothing completes for a while. */
export const stalledDisk: FaultKind = {
  name: 'stalled disk',
  meanGapMs: 8000,
  strike(victim, rng) {
    const member = victim.leader !== undefined && isLucky(rng, 0.4) ? victim.leader : pick(rng, victim.members);
    const { disk, id } = member;
    if (disk.isStalled) return undefined;
    disk.setStalled(true);
    const heal = (): void => disk.setStalled(false);
    return { what: `disk of ${id} stalls`, members: [id], lastsMs: duration(rng), end: heal };
  },
};

/** A write fails (a full disk, EIO): the member stops itself, and is started again. */
export const failingDisk: FaultKind = {
  name: 'failing disk',
  meanGapMs: 9000,
  strike(victim, rng) {
    const member = pick(rng, victim.members);
    if (!member.isUp) return undefined;
    member.failDisk();
    return { what: `disk of ${member.id} fails`, members: [member.id], lastsMs: 0, end: () => undefined };
  },
};

/** A bit of an entry flips. Who finds that stays away for ever: it may have forgotten a promise. */
export const bitFlip: FaultKind = {
  name: 'bit flip',
  meanGapMs: 20_000,
  strike(victim, rng) {
    const member = pick(rng, victim.members);
    const { disk, id } = member;
    if (!victim.maySacrifice(member)) return undefined;
    if (disk.rotten.size > 0 || disk.memory.entries.length === 0) return undefined;
    const index = between(rng, disk.memory.lastRemoved.index + 1, disk.lastIndex);
    disk.rotten.add(index);
    return { what: `entry ${index} of ${id} rots`, members: [id], lastsMs: 0, end: () => undefined };
  },
};

/** A machine is lost with its disk: the member never comes back, and an operator may replace it. */
export const lostDisk: FaultKind = {
  name: 'lost disk',
  meanGapMs: 20_000,
  strike(victim, rng) {
    const member = pick(rng, victim.members);
    if (member.isDead || !victim.maySacrifice(member)) return undefined;
    member.wipe();
    return { what: `disk of ${member.id} is lost`, members: [member.id], lastsMs: 0, end: () => undefined };
  },
};

/** There is no room for snapshots; the log has a reserve. */
export const fullDisk: FaultKind = {
  name: 'full disk',
  meanGapMs: 8000,
  strike(victim, rng) {
    const { disk, id } = pick(rng, victim.members);
    if (disk.isFull) return undefined;
    disk.isFull = true;
    const heal = (): void => {
      disk.isFull = false;
    };
    return { what: `no space for snapshots on ${id}`, members: [id], lastsMs: duration(rng), end: heal };
  },
};
