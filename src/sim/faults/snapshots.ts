/** Snapshots that break off, are damaged on their way, or are interrupted at every step of their installation. */
import { between } from '../../base/rng';
import { isLucky, pick, real } from '../world/chance';
import { moments } from '../world/moments';
import { duration, type FaultKind } from './fault';

/** A member ends in the middle of the making, the taking in or the installing of a snapshot. */
export const crashAtSnapshot: FaultKind = {
  name: 'crash at a snapshot',
  meanGapMs: 5000,
  strike(victim, rng) {
    const moment = pick(rng, moments);
    const ending = isLucky(rng, 0.5) ? 'power' : 'process';
    const delayMs = isLucky(rng, 0.5) ? 0 : between(rng, 0, 10);
    victim.atNext(moment, (member) => {
      victim.later(delayMs, () => member.kill(ending, `crash when ${moment}`));
      victim.later(delayMs + between(rng, 1, 1000), () => victim.restart(member));
    });
    return { what: `crash when ${moment}`, members: [], lastsMs: 10 * duration(rng), end: () => undefined };
  },
};

/** All connections of a member break while it takes in a snapshot. */
export const brokenTransfer: FaultKind = {
  name: 'broken transfer',
  meanGapMs: 5000,
  strike(victim, rng) {
    const { network } = victim;
    victim.atNext('part arrives', ({ id }) => {
      victim.later(real(rng, 0, 20), () => {
        for (const link of network.links.filter(({ to, cut }) => to === id && !cut)) {
          network.setCut(link, true, true);
          network.setCut(link, false);
        }
      });
    });
    return { what: 'the next transfer breaks', members: [], lastsMs: 10 * duration(rng), end: () => undefined };
  },
};

/** Bytes of snapshots change on their way, or on the disk that they are read from. */
export const corruptTransfer: FaultKind = {
  name: 'corrupt transfer',
  meanGapMs: 8000,
  strike({ network }, rng) {
    if (network.corruptionRate > 0) return undefined;
    network.corruptionRate = real(rng, 0.05, 0.5);
    const heal = (): void => {
      network.corruptionRate = 0;
    };
    return { what: 'snapshots are damaged', members: [], lastsMs: 2 * duration(rng), end: heal };
  },
};
