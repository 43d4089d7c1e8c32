/** Snapshots that break off, are damaged on their way, or are interrupted at every step of their installation. */
import { between } from '../../base/rng';
import { isLucky, pick, real } from '../world/chance';
import type { SimMember } from '../world/member';
import { moments } from '../world/moments';
import type { Link, Network } from '../world/network';
import { duration, type FaultKind, type Victim } from './fault';

/** How often a fault looks whether its moment has come. */
const lookEveryMs = 5;

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
        for (const link of network.links.filter(({ to }) => to === id)) breakOnce(network, link);
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
    return { what: 'snapshots are damaged', members: [], lastsMs: 10 * duration(rng), end: heal };
  },
};

/**
 * A follower's answers wait. Once the leader's log begins after what it knows the follower to have, the others are slow to
 * write; and once the follower has what is not committed, it hears nothing either, and an old answer arrives. So the leader
 * sends a snapshot that ends in the middle of what the follower has, and beyond what the follower knows to be committed.
 */
export const unheardFollower: FaultKind = {
  name: 'unheard follower',
  meanGapMs: 4000,
  strike(victim, rng) {
    const { leader, members, network } = victim;
    const followers = members.filter((member) => member !== leader && member.isUp && !member.isPaused);
    if (leader === undefined || followers.length === 0) return undefined;
    const follower = pick(rng, followers);
    const others = members.filter((it) => it !== leader && it !== follower && it.disk.slowness === 1);
    const [there, back] = [network.link(leader.id, follower.id), network.link(follower.id, leader.id)];
    if (there.jammed || back.jammed) return undefined;
    network.setJammed(back, true);
    const heard = follower.log.lastIndex;
    const slowness = real(rng, 5, 60);
    const stages = [
      (): boolean => {
        if (leader.disk.lastRemoved.index <= heard) return false;
        for (const { disk } of others) disk.setSlowness(slowness);
        return true;
      },
      (): boolean => {
        if (follower.log.lastIndex <= commitIndexOf(leader) + 1) return false;
        network.setJammed(there, true);
        // What was in flight is taken for lost: the leader asks again from what it knows on.
        breakOnce(network, there);
        return true;
      },
      (): boolean => {
        const isBetween = commitIndexOf(leader) > commitIndexOf(follower);
        if (isBetween && commitIndexOf(leader) < follower.log.lastIndex) network.letAnswerThrough(back);
        return false;
      },
    ];
    inTurn(victim, stages);
    return {
      what: `${leader.id} does not hear ${follower.id}, others may write ${slowness.toFixed(0)} times slower`,
      members: [leader, follower, ...others].map(({ id }) => id),
      lastsMs: between(rng, 500, 5000),
      end: () => {
        for (const link of [there, back]) network.setJammed(link, false);
        for (const { disk } of others) disk.setSlowness(1);
      },
    };
  },
};

function commitIndexOf({ seen }: SimMember): number {
  return seen?.commitIndex ?? 0;
}

/** Tries the first stage every few milliseconds until it is done, then the next, as long as the fault lasts. */
function inTurn(victim: Victim, stages: readonly (() => boolean)[]): void {
  const [stage, ...later] = stages;
  if (stage !== undefined) victim.after(lookEveryMs, () => inTurn(victim, stage() ? later : stages));
}

/** A connection is lost, as both ends know, and there is another at once. */
function breakOnce(network: Network, link: Link): void {
  if (link.cut) return;
  network.setCut(link, true, true);
  network.setCut(link, false);
}
