/** Runs the log in a process of its own, which can be killed, deprived of rights, or given a failing disk. */
import { execFileSync, fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { wordOf } from './child-words';

export interface Answer {
  readonly ok: boolean;
  readonly code?: string;
  readonly outcome?: string;
  readonly message?: string;
  readonly durable?: number;
  readonly firstIndex?: number;
  readonly lastIndex?: number;
}

export type Order =
  | { readonly kind: 'open'; readonly directory: string }
  | { readonly kind: 'persist'; readonly firstIndex: number; readonly count: number; readonly bytes: number }
  | { readonly kind: 'failed' }
  | { readonly kind: 'close' };

export interface ProcessOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** Runs as this user; needs root. */
  readonly uid?: number;
}

export class StorageProcess {
  readonly #child: ChildProcess;

  constructor({ env = {}, uid }: ProcessOptions = {}) {
    const execution = { env: { ...process.env, ...env }, execArgv: [] };
    const script = join(__dirname, 'storage-child.cjs');
    this.#child = fork(script, [], uid === undefined ? execution : { ...execution, uid, gid: uid });
  }

  async do(order: Order): Promise<Answer> {
    const answered = wordOf<Answer>(this.#child);
    this.#child.send(order);
    return answered;
  }

  /** Ends it without warning (kill -9). */
  async kill(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exited = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await exited;
  }
}

/** A disk that fails on demand. Needs a C compiler. */
export class FailingDisk {
  readonly env: Readonly<Record<string, string>>;
  readonly #plan: string;

  constructor(directory: string) {
    const library = join(directory, 'disk-fault.so');
    execFileSync('gcc', ['-shared', '-fPIC', '-O1', '-o', library, join(__dirname, 'disk-fault.c'), '-ldl']);
    this.#plan = join(directory, 'fault');
    this.env = { LD_PRELOAD: library, DISK_FAULT_FILE: this.#plan };
  }

  /** From now on, `call` on files whose path ends in `path` fails with `errno`. */
  fail(call: 'sync' | 'write', errno: number, path: string): void {
    writeFileSync(this.#plan, `${call} ${errno} ${path}`);
  }

  heal(): void {
    writeFileSync(this.#plan, '');
  }
}
