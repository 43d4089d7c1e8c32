/** Versions of Node.js whose insides were looked at. */

/** Major versions; a new one is added when the tests of what rests on this pass on it, and its source was read. */
const looked = { min: 20, max: 24 } as const;

/** True if what is changed of the insides of `node:http2` (ADR 13, 19, 20) is known to work in this version. */
export function isKnownNode(version: string): boolean {
  const major = Number.parseInt(version, 10);
  return major >= looked.min && major <= looked.max;
}
