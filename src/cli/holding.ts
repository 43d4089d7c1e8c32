/** What a program does while it holds a lock or leads: runs a command, or waits until it is told to stop. */
import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { QuorateError } from '../client';
import { exitCode } from './exit-code';
import { onInterrupt } from './interrupt';

/** What is held. */
export interface Held {
  /** Aborted when it was lost. */
  readonly signal: AbortSignal;
  /** What the command finds in its environment. */
  readonly environment: Readonly<Record<string, string>>;
}

/** A command that was told to stop has so long, milliseconds; then it is killed. */
const graceMs = 5_000;

/**
 * Runs a command until it ends. It is stopped when what is held was lost, and told of the signals that this process gets.
 *
 * @returns its exit code, 128 and the signal's number if a signal ended it, as shells do; `lost` if what was held was lost
 * @throws QuorateError `invalid-argument` when it cannot be started
 */
export async function runHolding(command: readonly string[], { signal, environment }: Held): Promise<number> {
  const [program = '', ...args] = command;
  const child = spawn(program, args, { stdio: 'inherit', env: { ...process.env, ...environment } });
  let killTimer: NodeJS.Timeout | undefined;
  const stop = () => {
    child.kill('SIGTERM');
    killTimer = setTimeout(() => child.kill('SIGKILL'), graceMs);
  };
  signal.addEventListener('abort', stop, { once: true });
  const forget = onInterrupt((name) => child.kill(name));
  try {
    const code = await new Promise<number>((resolve, reject) => {
      child.once('error', reject);
      child.once('exit', (status, name) => {
        resolve(status ?? 128 + (name === null ? 0 : constants.signals[name]));
      });
    });
    return signal.aborted ? exitCode.lost : code;
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new QuorateError('invalid-argument', `cannot run ${program}: ${why}`, { cause });
  } finally {
    forget();
    clearTimeout(killTimer);
    signal.removeEventListener('abort', stop);
  }
}

/** Waits until the user ends it (exit code 0), or what is held was lost. */
export async function waitHolding(signal: AbortSignal): Promise<number> {
  let forget: () => void = () => undefined;
  // An abort signal keeps no process alive, and nothing else may be due for long.
  const alive = setInterval(() => undefined, 60_000);
  await new Promise<void>((resolve) => {
    forget = onInterrupt(() => resolve());
    signal.addEventListener('abort', () => resolve(), { once: true });
    if (signal.aborted) resolve();
  });
  forget();
  clearInterval(alive);
  return signal.aborted ? exitCode.lost : exitCode.ok;
}

/** Why what was held was lost, for people. */
export function lossSentence(what: string, signal: AbortSignal): string {
  const reason: unknown = signal.reason;
  return `${what} was lost: ${reason instanceof Error ? reason.message : String(reason)}\n`;
}
