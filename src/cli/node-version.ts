/** Which versions of Node can run quorate. Plain enough for an old Node to load. */

/** The oldest Node that works. */
const leastNode = { major: 20, minor: 19 };

/** What is wrong with this version of Node; `undefined` if nothing is. */
export function nodeVersionProblem(version: string): string | undefined {
  const [major = 0, minor = 0] = version.replace(/^v/, '').split('.').map(Number);
  if (major > leastNode.major || (major === leastNode.major && minor >= leastNode.minor)) return undefined;
  return `This is Node ${version}; quorate needs Node ${String(leastNode.major)}.${String(leastNode.minor)} or newer.`;
}
