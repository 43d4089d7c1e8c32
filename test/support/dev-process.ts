/** A `quorate dev` of its own for a test: started on free ports, its output kept, surely gone at the end. */
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isFree } from './free-ports';

const main = join(__dirname, '..', '..', 'dist', 'main.js');

/** How a command ended. */
export interface CommandResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `quorate` with these arguments to its end. */
export function quorate(...words: readonly string[]): Promise<CommandResult> {
  return new Promise((resolve) => {
    execFile(process.execPath, [main, ...words], { timeout: 60_000 }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code ?? -1), stdout, stderr });
    });
  });
}

/** The first of `count` ports in a row that are free just now. */
export async function freeBasePort(count: number): Promise<number> {
  for (let attempt = 0; attempt < 100; attempt++) {
    const base = 20_000 + Math.floor(Math.random() * 10_000);
    const ports = Array.from({ length: count }, (_, offset) => base + offset);
    const free = await Promise.all(ports.map(isFree));
    if (free.every(Boolean)) return base;
  }
  throw new Error('no free ports in a row');
}

/** Waits until `condition` holds; fails with `what` after a while. */
export async function until(
  what: string,
  condition: () => boolean | Promise<boolean>,
  timeoutMs = 45_000,
): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** Whether a process with this id exists. */
export function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** A running `quorate dev`. */
export class DevProcess {
  readonly #child: ChildProcess;
  readonly #dataDir: string;
  readonly ended: Promise<number | NodeJS.Signals>;
  output = '';

  constructor(dataDir: string, words: readonly string[], env: Readonly<Record<string, string>> = {}) {
    this.#dataDir = dataDir;
    this.#child = spawn(process.execPath, [main, 'dev', '--data-dir', dataDir, ...words], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...env },
    });
    const keep = (chunk: Buffer) => {
      this.output += chunk.toString();
    };
    this.#child.stdout?.on('data', keep);
    this.#child.stderr?.on('data', keep);
    this.ended = new Promise((resolve) => {
      this.#child.once('close', (code, signal) => resolve(signal ?? code ?? -1));
    });
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  memberLog(name: string): string {
    return readFileSync(join(this.#dataDir, `${name}.log`), 'utf8');
  }

  /** The process id of a member that was started and has logged. */
  memberPid(name: string): number {
    const pids = [...this.memberLog(name).matchAll(/"pid":(\d+)/g)];
    return Number(pids.at(-1)?.[1]);
  }

  async untilReady(): Promise<void> {
    await until(`the cluster is ready; it said: ${this.output}`, () => this.output.includes('Endpoints: '));
  }
}
