/** Configurations: who votes, who learns. */
import type { Configuration, MemberId } from './types';

/** A configuration of voters only. */
export function simpleConfiguration(voters: readonly MemberId[]): Configuration {
  return { voters, outgoing: [], learners: [] };
}

/** True if the member may vote and be elected. */
export function isVoter(configuration: Configuration, member: MemberId): boolean {
  return configuration.voters.includes(member) || configuration.outgoing.includes(member);
}

/** Everybody who receives the log, each once. */
export function allMembers(configuration: Configuration): readonly MemberId[] {
  return [...new Set([...configuration.voters, ...configuration.outgoing, ...configuration.learners])];
}
