/** Processes that end, and processes that stand still. */
import { between, type Rng } from '../../base/rng';
import { isLucky, pick, shuffled } from '../world/chance';
import type { Ending, SimMember } from '../world/member';
import { duration, type Fault, type FaultKind, type Victim } from './fault';

/** kill -9 of one, often the leader. */
export const crash: FaultKind = {
  name: 'crash',
  meanGapMs: 6000,
  strike: (victim, rng) => end(victim, rng, 'process', [oneOf(victim, rng)]),
};

/** kill -9 of all at once. */
export const crashAll: FaultKind = {
  name: 'crash all',
  meanGapMs: 20_000,
  strike: (victim, rng) => end(victim, rng, 'process', victim.members),
};

/** The power of one machine fails: what was not synced is gone. */
export const powerCut: FaultKind = {
  name: 'power cut',
  meanGapMs: 6000,
  strike: (victim, rng) => end(victim, rng, 'power', [oneOf(victim, rng)]),
};

/** The power of all machines fails. */
export const powerCutAll: FaultKind = {
  name: 'power cut of all',
  meanGapMs: 20_000,
  strike: (victim, rng) => end(victim, rng, 'power', victim.members),
};

/** A member starts and is killed again and again. */
export const crashLoop: FaultKind = {
  name: 'crash loop',
  meanGapMs: 15_000,
  strike(victim, rng) {
    const member = oneOf(victim, rng);
    if (!member.isUp) return undefined;
    const times = between(rng, 2, 6);
    const stepMs = between(rng, 5, 800);
    const ending = isLucky(rng, 0.5) ? 'power' : 'process';
    for (let time = 0; time < times; time++) {
      victim.after(2 * time * stepMs, () => member.kill(ending, 'crash loop'));
      victim.after((2 * time + 1) * stepMs, () => victim.restart(member));
    }
    const restart = (): void => victim.restart(member);
    return { what: `crash loop ${member.id}`, members: [member.id], lastsMs: 2 * times * stepMs, end: restart };
  },
};

/** SIGTERM of one, often the leader, as for an update of the program: its supervisor starts it again. */
export const restart: FaultKind = {
  name: 'restart',
  meanGapMs: 8000,
  strike(victim, rng) {
    const member = oneOf(victim, rng);
    if (!member.isUp) return undefined;
    member.stop();
    return { what: `restart of ${member.id}`, members: [member.id], lastsMs: 0, end: () => undefined };
  },
};

/** SIGSTOP of one, often the leader; then everything that waited arrives at once. */
export const pause: FaultKind = {
  name: 'pause',
  meanGapMs: 5000,
  strike: (victim, rng) => stop(rng, [oneOf(victim, rng)]),
};

/** SIGSTOP of all but one. */
export const pauseOthers: FaultKind = {
  name: 'pause of all but one',
  meanGapMs: 15_000,
  strike: (victim, rng) => stop(rng, shuffled(rng, victim.members).slice(1)),
};

/** A clock is set forward. */
export const clockJump: FaultKind = {
  name: 'clock jump',
  breaksLeases: true,
  meanGapMs: 6000,
  strike(victim, rng) {
    const member = oneOf(victim, rng);
    if (!member.isUp) return undefined;
    const ms = duration(rng);
    member.jump(ms);
    return { what: `clock of ${member.id} jumps ${ms} ms`, members: [member.id], lastsMs: 0, end: () => undefined };
  },
};

function oneOf({ leader, members }: Victim, rng: Rng): SimMember {
  return leader !== undefined && isLucky(rng, 0.4) ? leader : pick(rng, members);
}

function end(victim: Victim, rng: Rng, ending: Ending, members: readonly SimMember[]): Fault | undefined {
  const up = members.filter(({ isUp }) => isUp);
  if (up.length === 0) return undefined;
  const why = ending === 'power' ? 'power cut' : 'crash';
  for (const member of up) member.kill(ending, why);
  return {
    what: `${why} of ${up.map(({ id }) => id).join(' ')}`,
    members: up.map(({ id }) => id),
    lastsMs: duration(rng),
    end: () => {
      for (const member of up) victim.restart(member);
    },
  };
}

function stop(rng: Rng, members: readonly SimMember[]): Fault | undefined {
  const awake = members.filter(({ isUp, isPaused }) => isUp && !isPaused);
  if (awake.length === 0) return undefined;
  for (const member of awake) member.pause();
  return {
    what: `pause of ${awake.map(({ id }) => id).join(' ')}`,
    members: awake.map(({ id }) => id),
    lastsMs: duration(rng),
    end: () => {
      for (const member of awake) member.resume();
    },
  };
}
