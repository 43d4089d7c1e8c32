/** Shapes of broken networks: which directed links a fault takes, and how it gives them back. */
import { isLucky } from '../world/chance';
import type { Rng } from '../../base/rng';
import type { SimMember } from '../world/member';
import type { Link, Network } from '../world/network';
import { duration, type Fault, type Victim } from './fault';

/** Cuts links, silently or so that the senders know, and mends them at the end. */
export function cutLinks(victim: Victim, rng: Rng, what: string, links: readonly Link[]): Fault | undefined {
  const { network } = victim;
  const mine = links.filter(({ cut }) => !cut);
  if (mine.length === 0) return undefined;
  const refused = isLucky(rng, 0.4);
  for (const link of mine) network.setCut(link, true, refused);
  return {
    what: `${what}: ${mine.map(({ from, to }) => `${from}>${to}`).join(' ')}${refused ? ', refused' : ''}`,
    members: [...new Set(mine.flatMap(({ from, to }) => [from, to]))],
    lastsMs: duration(rng),
    end: () => {
      for (const link of mine) network.setCut(link, false);
    },
  };
}

/** Both directions between any of the one and any of the other. */
export function linksBetween(network: Network, some: readonly SimMember[], others: readonly SimMember[]): Link[] {
  return some.flatMap((a) => others.flatMap((b) => [network.link(a.id, b.id), network.link(b.id, a.id)]));
}
