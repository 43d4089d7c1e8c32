/** Messages that nobody planned. */
import { between } from '../../base/rng';
import { pick } from '../world/chance';
import type { FaultKind } from './fault';

/** The leader tells a member to take over (thesis §3.10), at a bad time. */
export const strayTimeoutNow: FaultKind = {
  name: 'stray TimeoutNow',
  breaksLeases: true,
  meanGapMs: 8000,
  strike({ leader, members, network }, rng) {
    const term = leader?.seen?.term;
    const others = members.filter((member) => member !== leader);
    if (leader === undefined || term === undefined || others.length === 0) return undefined;
    const { id } = pick(rng, others);
    network.inject(leader.id, id, { kind: 'timeout-now', term });
    return { what: `${id} is told to campaign`, members: [id], lastsMs: 0, end: () => undefined };
  },
};

/** A connection breaks: everything on it may be lost, and one end or both hear of it. */
export const lostConnection: FaultKind = {
  name: 'lost connection',
  meanGapMs: 4000,
  strike({ network }, rng) {
    if (network.links.length === 0) return undefined;
    const link = pick(rng, network.links);
    if (link.cut) return undefined;
    network.setCut(link, true, true);
    const lastsMs = between(rng, 0, 50);
    const end = (): void => network.setCut(link, false);
    return { what: `connection ${link.from}>${link.to} breaks`, members: [link.from, link.to], lastsMs, end };
  },
};
