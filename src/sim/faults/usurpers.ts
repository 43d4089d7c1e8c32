/** Another takes over while the old leader does not know it: what a deposed leader still believes must harm nobody. */
import { between, type Rng } from '../../base/rng';
import { isLucky, pick, real } from '../world/chance';
import type { SimMember } from '../world/member';
import { duration, type Fault, type FaultKind, type Victim } from './fault';
import { cutLinks, linksBetween } from './network-shapes';

/**
 * The leader is cut off, alone or with another that goes on following it, and at once one of the others is told to campaign.
 * Its disk may stand still with what it took last.
 */
export const usurper: FaultKind = {
  name: 'usurper',
  breaksLeases: true,
  meanGapMs: 7000,
  strike(victim, rng) {
    const cast = castOf(victim, rng);
    if (cast === undefined) return undefined;
    const { leader, others, heir } = cast;
    tell(victim, leader, heir);
    const loyal = loyalTo(cast, rng);
    const rest = others.filter((other) => !loyal.includes(other));
    const cut = cutLinks(victim, rng, `usurper ${heir.id}`, linksBetween(victim.network, [leader, ...loyal], rest));
    if (cut === undefined || !isLucky(rng, 0.5) || leader.disk.isStalled) return cut;
    leader.disk.setStalled(true);
    return { ...cut, what: `${cut.what}; disk of ${leader.id} stalls`, end: () => endBoth(victim, cut, leader) };
  },
};

/** What the others answer the leader comes late: it confirms what was true once. */
export const lateAnswers: FaultKind = {
  name: 'late answers',
  breaksLeases: true,
  meanGapMs: 5000,
  strike(victim, rng) {
    const cast = castOf(victim, rng);
    if (cast === undefined) return undefined;
    const { leader, heir } = cast;
    const { network } = victim;
    const links = network.links.filter(({ to, clogged }) => to === leader.id && !clogged);
    for (const link of links) network.setClogged(link, true);
    victim.after(between(rng, 0, 400), () => tell(victim, leader, heir));
    return {
      what: `answers to ${leader.id} are late, and ${heir.id} takes over`,
      members: [leader.id, heir.id],
      lastsMs: between(rng, 200, 1000),
      end: () => {
        for (const link of links) network.setClogged(link, false);
      },
    };
  },
};

/** The leadership goes round quickly: what was meant for one term arrives in another. */
export const musicalChairs: FaultKind = {
  name: 'musical chairs',
  breaksLeases: true,
  meanGapMs: 9000,
  strike(victim, rng) {
    const lastsMs = 500 + (duration(rng) % 4000);
    const stepMs = between(rng, 20, 500);
    for (let at = 0; at < lastsMs; at += stepMs) {
      victim.after(at, () => {
        const cast = castOf(victim, rng);
        if (cast !== undefined) tell(victim, cast.leader, cast.heir);
      });
    }
    const members = victim.members.map(({ id }) => id);
    return { what: `musical chairs every ${stepMs} ms`, members, lastsMs, end: () => undefined };
  },
};

/** The leader hands over in good order, and then hears nothing of what comes of it. */
export const deafAbdication: FaultKind = {
  name: 'deaf abdication',
  meanGapMs: 5000,
  strike(victim, rng) {
    const cast = castOf(victim, rng);
    if (cast === undefined) return undefined;
    const { leader, heir } = cast;
    const { network } = victim;
    const links = network.links.filter(({ to, clogged }) => to === leader.id && !clogged);
    const wish = { $case: 'transfer', value: { name: heir.name } } as const;
    // Nobody waits for the answer.
    leader.change(wish, 1000, (answer) => void answer.catch(() => undefined));
    victim.after(real(rng, 0, 30), () => links.forEach((link) => network.setClogged(link, true)));
    return {
      what: `${leader.id} hands over to ${heir.id} and hears no more`,
      members: [leader.id, heir.id],
      lastsMs: between(rng, 100, 3000),
      end: () => links.forEach((link) => network.setClogged(link, false)),
    };
  },
};

/**
 * One has long not heard the leader, and asks for votes; then those on whose silence the leader counts start anew, and hear
 * it no more either. They have forgotten when they heard it last, but not that they may have.
 */
export const forgottenPromise: FaultKind = {
  name: 'forgotten promise',
  isLater: true,
  meanGapMs: 9000,
  strike(victim, rng) {
    const cast = castOf(victim, rng);
    if (cast === undefined) return undefined;
    const { leader, others, heir } = cast;
    const { network } = victim;
    const deaf = cutLinks(victim, rng, `${heir.id} hears no leader`, linksBetween(network, [leader], [heir]));
    if (deaf === undefined) return undefined;
    const witnesses = others.filter((other) => other !== heir && other.isUp);
    const waitMs = between(rng, 1000, 3000);
    let alone: Fault | undefined;
    victim.after(waitMs, () => {
      alone = cutLinks(victim, rng, 'forgotten promise', linksBetween(network, [leader], witnesses));
      for (const witness of witnesses) {
        witness.kill('process', 'forgets a promise');
        victim.restart(witness);
      }
    });
    return {
      what: `${deaf.what}, and in ${waitMs} ms all others: forgotten promise`,
      members: [leader, ...others].map(({ id }) => id),
      lastsMs: waitMs + between(rng, 500, 2500),
      end: () => {
        deaf.end();
        alone?.end();
      },
    };
  },
};

interface Cast {
  readonly leader: SimMember;
  readonly others: readonly SimMember[];
  readonly heir: SimMember;
}

function castOf({ leader, members }: Victim, rng: Rng): Cast | undefined {
  const others = members.filter((member) => member !== leader);
  const heirs = others.filter(({ isUp, isPaused }) => isUp && !isPaused);
  if (leader === undefined || heirs.length === 0) return undefined;
  return { leader, others, heir: pick(rng, heirs) };
}

/** Of five members and more, one may stay with the leader: the others are a quorum without it. */
function loyalTo({ others, heir }: Cast, rng: Rng): readonly SimMember[] {
  if (others.length < 4 || isLucky(rng, 0.5)) return [];
  return [
    pick(
      rng,
      others.filter((other) => other !== heir),
    ),
  ];
}

function tell({ network }: Victim, leader: SimMember, heir: SimMember): void {
  const term = leader.seen?.term;
  if (term !== undefined) network.inject(leader.id, heir.id, { kind: 'timeout-now', term });
}

/** The disk wakes up a little later than the network. */
function endBoth(victim: Victim, cut: Fault, { disk }: SimMember): void {
  cut.end();
  victim.later(300, () => disk.setStalled(false));
}
