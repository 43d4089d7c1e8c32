/** Ends the program with one sentence on a Node that is too old. Imported before anything that such a Node cannot load. */
import { nodeVersionProblem } from './node-version';

const problem = nodeVersionProblem(process.versions.node);
if (problem !== undefined) {
  process.stderr.write(`error: ${problem}\n`);
  process.exit(2);
}
