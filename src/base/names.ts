/** How members are named and where they are reached: the one rule for options, requests and the command line. */

/** What a name may be, for people. */
export const nameLimit = 'letters, digits, ".", "_" and "-", beginning with a letter or digit, at most 63';

/** What an address may be, for people. */
export const addressLimit = 'host:port with a port of 1 to 65535; an IPv6 host in brackets';

/** True for the name of a member or a cluster. */
export function isName(text: string): boolean {
  return /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/.test(text);
}

/** True for `host:port`; IPv6 hosts in brackets. A host has at most 253 characters, as in DNS. */
export function isAddress(text: string): boolean {
  const match = /^(?:[A-Za-z0-9][A-Za-z0-9._-]{0,252}|\[[0-9A-Fa-f:.]{2,45}\]):([0-9]{1,5})$/.exec(text);
  const port = Number(match?.[1] ?? 0);
  return port >= 1 && port <= 65_535;
}

/** Takes `host:port` or `[IPv6]:port` apart; the host comes without the brackets. */
export function splitAddress(address: string): { readonly host: string; readonly port: number } {
  const colon = address.lastIndexOf(':');
  return { host: address.slice(0, colon).replace(/^\[(.*)\]$/, '$1'), port: Number(address.slice(colon + 1)) };
}

/** The environment variable of an option. */
export function variableOf(flag: string): string {
  return `QUORATE_${flag.replaceAll('-', '_').toUpperCase()}`;
}
