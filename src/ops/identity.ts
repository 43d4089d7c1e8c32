/** Ids of members and clusters, derived from names, so that every member works them out alike. */
import { createHash } from 'node:crypto';

/** The id of a member: the same wherever and whenever it is worked out, never 0. */
export function memberIdOf(clusterName: string, memberName: string): bigint {
  return idOf(`quorate-member\0${clusterName}\0${memberName}`);
}

/** The id of a cluster, from its name and the names of its first members, in any order. Never 0. */
export function clusterIdOf(clusterName: string, memberNames: readonly string[]): bigint {
  return idOf(`quorate-cluster\0${clusterName}\0${[...memberNames].sort().join(',')}`);
}

/** The first 8 bytes, big endian, of the SHA-256 of a text; 1 in place of 0. */
function idOf(text: string): bigint {
  const id = createHash('sha256').update(text, 'utf8').digest().readBigUInt64BE(0);
  return id === 0n ? 1n : id;
}
