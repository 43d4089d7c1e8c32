/** Broken networks, symmetric, one-way and partial: every shape a kind of its own. */
import { between } from '../../base/rng';
import { pick, shuffled } from '../world/chance';
import type { FaultKind } from './fault';
import { cutLinks, linksBetween } from './network-shapes';

/** Two sides that hear nothing of each other. */
export const partition: FaultKind = {
  name: 'partition',
  meanGapMs: 7000,
  strike(victim, rng) {
    const members = shuffled(rng, victim.members);
    if (members.length < 2) return undefined;
    const size = between(rng, 1, members.length - 1);
    const links = linksBetween(victim.network, members.slice(0, size), members.slice(size));
    return cutLinks(victim, rng, 'partition', links);
  },
};

/** The leader alone, so that another is elected while it still believes. */
export const isolateLeader: FaultKind = {
  name: 'isolate leader',
  meanGapMs: 7000,
  strike(victim, rng) {
    const { leader, members, network } = victim;
    if (leader === undefined) return undefined;
    const others = members.filter((member) => member !== leader);
    return cutLinks(victim, rng, 'isolate leader', linksBetween(network, [leader], others));
  },
};

/** One member hears and is not heard, or the other way round. */
export const oneWay: FaultKind = {
  name: 'one-way cut',
  meanGapMs: 7000,
  strike(victim, rng) {
    const member = pick(rng, victim.members);
    const hears = between(rng, 0, 1) === 1;
    const all = victim.network.links.filter(({ from, to }) => (hears ? from : to) === member.id);
    const links = between(rng, 0, 1) === 1 || all.length === 0 ? all : [pick(rng, all)];
    return cutLinks(victim, rng, 'one-way cut', links);
  },
};

/** Two that do not hear each other while both hear the rest: the triangle of Cloudflare's outage. */
export const brokenPair: FaultKind = {
  name: 'broken pair',
  meanGapMs: 7000,
  strike(victim, rng) {
    const [a, b] = shuffled(rng, victim.members);
    if (a === undefined || b === undefined) return undefined;
    return cutLinks(victim, rng, 'broken pair', linksBetween(victim.network, [a], [b]));
  },
};

/** Two groups that hear only one common member. */
export const bridge: FaultKind = {
  name: 'bridge',
  meanGapMs: 9000,
  strike(victim, rng) {
    const [, ...others] = shuffled(rng, victim.members);
    if (others.length < 2) return undefined;
    const half = Math.floor(others.length / 2);
    return cutLinks(victim, rng, 'bridge', linksBetween(victim.network, others.slice(0, half), others.slice(half)));
  },
};

/** Everybody hears only its neighbours. */
export const chain: FaultKind = {
  name: 'chain',
  meanGapMs: 9000,
  strike(victim, rng) {
    const line = shuffled(rng, victim.members);
    const links = line.flatMap((member, at) => linksBetween(victim.network, [member], line.slice(at + 2)));
    return cutLinks(victim, rng, 'chain', links);
  },
};

/** Everybody hears one member, and nobody else: a leader may be elected there alone. */
export const star: FaultKind = {
  name: 'star',
  meanGapMs: 9000,
  strike(victim, rng) {
    const [, ...others] = shuffled(rng, victim.members);
    const links = others.flatMap((member, at) => linksBetween(victim.network, [member], others.slice(at + 1)));
    return cutLinks(victim, rng, 'star', links);
  },
};
