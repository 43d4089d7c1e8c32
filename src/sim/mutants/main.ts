/** The command line of the mutants: `npm run mutants`. */
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { runProgram } from '../program';
import { mutants } from '.';
import { Laboratory, type Finding } from './laboratory';
import type { Mutant } from './mutant';

const help = `Usage: npm run mutants -- [options]

Puts one mistake after the other into a copy of the built program, and has the simulator find it.

  --only TEXT   only mutants whose name, file or invariant contains the text
  --workers N   so many at a time (default 1)`;

const say = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

async function main(): Promise<boolean> {
  const { values } = parseArgs({
    options: {
      only: { type: 'string', default: '' },
      workers: { type: 'string', default: '1' },
      help: { type: 'boolean' },
    },
  });
  if (values.help === true) {
    say(help);
    return true;
  }
  const chosen = mutants.filter(({ name, file, breaks }) => `${name} ${file} ${breaks}`.includes(values.only));
  const findings = await examineAll(chosen, Number(values.workers));
  const killed = findings.filter(({ violation }) => violation !== undefined).length;
  say(`${killed} of ${findings.length} mutants killed`);
  return killed === findings.length && killed > 0;
}

async function examineAll(chosen: readonly Mutant[], workers: number): Promise<readonly Finding[]> {
  const dist = join(__dirname, '..', '..');
  const waiting = [...chosen];
  const findings: Finding[] = [];
  const work = async (_: unknown, worker: number): Promise<void> => {
    // Below the checkout, so that packages are found.
    const laboratory = new Laboratory(dist, join(dist, '..', '.cache', 'mutants', `${process.pid}-${worker}`));
    try {
      for (let mutant = waiting.shift(); mutant !== undefined; mutant = waiting.shift()) {
        const finding = await laboratory.examine(mutant);
        findings.push(finding);
        tell(finding);
      }
    } finally {
      laboratory.close();
    }
  };
  await Promise.all(Array.from({ length: workers }, work));
  return findings;
}

function tell({ mutant, seeds, violation }: Finding): void {
  const { name, breaks } = mutant;
  if (violation === undefined) say(`SURVIVED ${name} (${breaks}): nothing found in ${seeds} seeds`);
  else say(`killed   ${name} (${breaks}): seed ${seeds} of ${mutant.seeds}: ${violation.replace('FAILED ', '')}`);
}

runProgram(main);
