/** Makes mutants: copies of the built program with one mistake each, and lets the simulator look for it. */
import { spawn } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Result } from '../result';
import type { Mutant } from './mutant';

/** What the simulator made of a mutant. */
export interface Finding {
  readonly mutant: Mutant;
  /** How many seeds it took, or were tried in vain. */
  readonly seeds: number;
  /** What it found; `undefined` if nothing. */
  readonly violation: string | undefined;
}

/** No seed is begun after so long; whoever takes longer still turns in circles. */
const softLimitMinutes = 10;
const hardLimitMs = 720_000;

/** @throws Error unless the text to replace stands exactly once in the file */
export function mutate(source: string, { name, file, find, replace }: Mutant): string {
  const parts = source.split(find);
  if (parts.length !== 2) {
    throw new Error(`the mutant "${name}" does not fit: its text stands ${parts.length - 1} times in dist/${file}.js`);
  }
  return parts.join(replace);
}

/** A copy of the built program, for one mutant after the other. */
export class Laboratory {
  readonly #copy: string;

  /**
   * @param original the built program, `dist/`
   * @param copy below a directory where packages are found
   */
  constructor(original: string, copy: string) {
    this.#copy = copy;
    rmSync(copy, { recursive: true, force: true });
    mkdirSync(copy, { recursive: true });
    cpSync(original, copy, { recursive: true, filter: (path) => !/\.(d\.ts|map|tsbuildinfo)$/.test(path) });
  }

  /** Looks for the mistake, seed by seed, until it is found or the bound is reached. */
  async examine(mutant: Mutant): Promise<Finding> {
    const path = join(this.#copy, `${mutant.file}.js`);
    const source = readFileSync(path, 'utf8');
    writeFileSync(path, mutate(source, mutant));
    try {
      return await this.#run(mutant);
    } finally {
      writeFileSync(path, source);
    }
  }

  close(): void {
    rmSync(this.#copy, { recursive: true, force: true });
  }

  #run(mutant: Mutant): Promise<Finding> {
    const limits = ['--from', '1', '--seeds', String(mutant.seeds), '--minutes', String(softLimitMinutes)];
    const args = [join(this.#copy, 'sim', 'main.js'), '--json', '--until-failure', ...limits];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'], timeout: hardLimitMs });
    let output = '';
    let errors = '';
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
    return new Promise((resolve) => {
      child.once('close', () => resolve({ mutant, ...findingOf(output, errors) }));
    });
  }
}

function findingOf(output: string, errors: string): Omit<Finding, 'mutant'> {
  if (output === '') return { seeds: 1, violation: `the simulator itself stops: ${errors.split('\n', 5).join(' ')}` };
  const { volume, failures } = JSON.parse(output) as Result;
  return { seeds: volume.seeds, violation: failures[0]?.split('\n', 1)[0] };
}
