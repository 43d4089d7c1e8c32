/** Links that are slow, lossy, or blocked for a while and then deliver everything at once. */
import { between, type Rng } from '../../base/rng';
import { pick, real, shuffled } from '../world/chance';
import type { Link } from '../world/network';
import { duration, type Fault, type FaultKind, type Victim } from './fault';

/** Links clog, and what waited arrives when they open. */
export const clog: FaultKind = {
  name: 'clog',
  meanGapMs: 6000,
  strike(victim, rng) {
    const links = someLinks(victim, rng).filter(({ clogged }) => !clogged);
    if (links.length === 0) return undefined;
    for (const link of links) victim.network.setClogged(link, true);
    return overLinks('clog', links, duration(rng), () => {
      for (const link of links) victim.network.setClogged(link, false);
    });
  },
};

/** Members are cut off one after the other, and come back in another order (FoundationDB's swizzle). */
export const swizzle: FaultKind = {
  name: 'swizzle',
  meanGapMs: 15_000,
  strike(victim, rng) {
    const { network, members } = victim;
    const chosen = shuffled(rng, members).slice(0, between(rng, 1, members.length));
    const linksOf = (at: number): Link[] =>
      network.links.filter(({ from, to }) => [from, to].some((id) => id === chosen[at]?.id));
    const stepMs = between(rng, 10, 600);
    chosen.forEach((_, at) => {
      victim.after(at * stepMs, () => linksOf(at).forEach((link) => network.setClogged(link, true)));
    });
    shuffled(rng, [...chosen.keys()]).forEach((member, at) => {
      const opensAt = (chosen.length + at) * stepMs;
      victim.after(opensAt, () => linksOf(member).forEach((link) => network.setClogged(link, false)));
    });
    const ids = chosen.map(({ id }) => id);
    const end = (): void => {
      for (let at = 0; at < chosen.length; at++) linksOf(at).forEach((link) => network.setClogged(link, false));
    };
    return { what: `swizzle ${ids.join(' ')}`, members: ids, lastsMs: 2 * chosen.length * stepMs, end };
  },
};

/** Much is lost. */
export const loss: FaultKind = {
  name: 'loss',
  meanGapMs: 8000,
  strike(victim, rng) {
    const links = someLinks(victim, rng).filter(({ lossRate }) => lossRate === 0);
    if (links.length === 0) return undefined;
    const rate = real(rng, 0.05, 0.9);
    for (const link of links) link.lossRate = rate;
    return overLinks(`loss of ${rate.toFixed(2)}`, links, duration(rng), () => {
      for (const link of links) link.lossRate = 0;
    });
  },
};

/** Everything takes long. */
export const slowLink: FaultKind = {
  name: 'slow link',
  meanGapMs: 8000,
  strike(victim, rng) {
    const links = someLinks(victim, rng).filter(({ extraDelayMs }) => extraDelayMs === 0);
    if (links.length === 0) return undefined;
    const ms = real(rng, 20, 1500);
    for (const link of links) link.extraDelayMs = ms;
    return overLinks(`${ms.toFixed(0)} ms more`, links, duration(rng), () => {
      for (const link of links) link.extraDelayMs = 0;
    });
  },
};

/** One link, all of one member, or every one. */
function someLinks({ network, members }: Victim, rng: Rng): Link[] {
  const { links } = network;
  if (links.length === 0) return [];
  const member = pick(rng, members);
  switch (between(rng, 0, 3)) {
    case 0:
      return [...links];
    case 1:
      return [pick(rng, links)];
    case 2:
      return links.filter(({ from }) => from === member.id);
    default:
      return links.filter(({ from, to }) => from === member.id || to === member.id);
  }
}

function overLinks(what: string, links: readonly Link[], lastsMs: number, end: () => void): Fault {
  const members = [...new Set(links.flatMap(({ from, to }) => [from, to]))];
  return { what: `${what}: ${links.map(({ from, to }) => `${from}>${to}`).join(' ')}`, members, lastsMs, end };
}
