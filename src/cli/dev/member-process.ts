/** One member of a development cluster as a child process: started, watched, stopped; never restarted. */
import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, openSync, readSync, fstatSync, renameSync, statSync } from 'node:fs';
import type { MemberPlan } from './plan';

/** A log that is larger than this when its member starts is set aside as `NAME.log.old`, in bytes. */
const MAX_LOG_BYTES = 16 * 1024 * 1024;
/** How much of a log's end is looked at to tell why a member ended, in bytes. */
const TAIL_BYTES = 8 * 1024;
/** The most of it that is shown, in characters. */
const SHOWN_CHARACTERS = 400;

/** What a process is doing. */
export type ProcessState =
  | { readonly kind: 'running'; readonly pid: number }
  | { readonly kind: 'ended'; readonly code: number | null; readonly signal: NodeJS.Signals | null }
  | { readonly kind: 'not-started'; readonly message: string };

/** A member's process. */
export class MemberProcess {
  readonly plan: MemberPlan;
  readonly #child: ChildProcess;
  readonly #ended: Promise<void>;
  #state: ProcessState;

  /**
   * Starts the member; its output goes to the end of its log.
   *
   * It gets a session of its own, so that Ctrl-C in the terminal reaches `quorate dev` only, which then stops its members
   * in order; and a channel to this process, whose end tells it that this process is gone, however that came about.
   */
  constructor(plan: MemberPlan, program: readonly [string, ...string[]]) {
    this.plan = plan;
    const [executable, ...arguments_] = program;
    const log = openLog(plan.logFile);
    this.#child = spawn(executable, [...arguments_, ...plan.serveArguments], {
      stdio: ['ignore', log, log, 'ipc'],
      detached: true,
    });
    closeSync(log);
    this.#state = { kind: 'running', pid: this.#child.pid ?? 0 };
    this.#ended = new Promise((resolve) => {
      this.#child.once('error', (error) => {
        if (this.#child.pid === undefined) {
          this.#state = { kind: 'not-started', message: error.message };
          resolve();
        }
      });
      this.#child.once('exit', (code, signal) => {
        this.#state = { kind: 'ended', code, signal };
        resolve();
      });
    });
  }

  get state(): ProcessState {
    return this.#state;
  }

  /** Asks it to stop, waits, and ends it by force if it takes too long. Returns when it is gone. */
  async stop(graceMs: number): Promise<void> {
    if (this.#state.kind !== 'running') return;
    this.#child.kill('SIGTERM');
    const force = setTimeout(() => this.#child.kill('SIGKILL'), graceMs);
    await this.#ended;
    clearTimeout(force);
  }

  /** The last thing it said, for people; empty if it said nothing. */
  lastWords(): string {
    return lastWordsOf(readTail(this.plan.logFile));
  }
}

function openLog(file: string): number {
  try {
    if (statSync(file).size > MAX_LOG_BYTES) renameSync(file, `${file}.old`);
  } catch {
    // There is none yet.
  }
  return openSync(file, 'a');
}

function readTail(file: string): string {
  const log = openSync(file, 'r');
  try {
    const { size } = fstatSync(log);
    const tail = Buffer.alloc(Math.min(size, TAIL_BYTES));
    const read = readSync(log, tail, 0, tail.length, size - tail.length);
    return tail.subarray(0, read).toString('utf8');
  } finally {
    closeSync(log);
  }
}

/** The message of the last line of a log, which is JSON or plain text. */
export function lastWordsOf(log: string): string {
  const line = log.trimEnd().split('\n').at(-1) ?? '';
  return (messageOf(line) ?? line).slice(0, SHOWN_CHARACTERS);
}

function messageOf(line: string): string | undefined {
  try {
    const { msg, reason } = JSON.parse(line) as { msg?: unknown; reason?: unknown };
    if (typeof msg !== 'string') return undefined;
    return typeof reason === 'string' ? `${msg}: ${reason}` : msg;
  } catch {
    return undefined;
  }
}

/** How a process ended, for people. */
export function endOf(state: Exclude<ProcessState, { kind: 'running' }>): string {
  if (state.kind === 'not-started') return `it could not be started: ${state.message}`;
  return state.signal === null ? `it ended with exit code ${String(state.code)}` : `it was ended by ${state.signal}`;
}
