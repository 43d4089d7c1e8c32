// Runs a command with a time limit, and leaves nothing of it behind.
import { spawn } from 'node:child_process';

const running = new Set();

/** Ends every command that is still running, with all its descendants. */
export function stopAll() {
  for (const child of running) signalGroup(child, 'SIGKILL');
}

/**
 * Runs a command to its end. Never throws: a command that cannot be started has failed.
 *
 * @param {readonly string[]} command the program and its arguments
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv, timeoutMs?: number, onLine?: (line: string) => void,
 *   until?: () => boolean }} [options]
 *   `until` is asked once a second; from the moment it says yes the command has 15 s left to end by itself
 * @returns {Promise<{ ok: boolean, code: number | null, output: string, timedOut: boolean, lingered: boolean }>}
 */
export function run(command, options = {}) {
  const { cwd, env, timeoutMs = 600_000, onLine, until } = options;
  return new Promise((resolve) => {
    const [program, ...args] = command;
    // A group of its own, so that the limit also ends what the command started.
    const child = spawn(program, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
    running.add(child);
    const state = { output: '', timedOut: false, lingered: false };
    let rest = '';
    const take = (chunk) => {
      state.output += chunk;
      if (onLine === undefined) return;
      const lines = (rest + chunk).split('\n');
      rest = lines.pop();
      lines.forEach(onLine);
    };
    child.stdout.setEncoding('utf8').on('data', take);
    child.stderr.setEncoding('utf8').on('data', take);
    const limit = setTimeout(() => {
      state.timedOut = true;
      signalGroup(child, 'SIGKILL');
    }, timeoutMs);
    const watch =
      until &&
      setInterval(() => {
        if (state.lingered || !until()) return;
        clearInterval(watch);
        state.leave = setTimeout(() => {
          state.lingered = true;
          signalGroup(child, 'SIGKILL');
        }, 15_000);
      }, 1000);
    const done = (code, problem) => {
      clearTimeout(limit);
      clearTimeout(state.leave);
      clearInterval(watch);
      running.delete(child);
      if (problem !== undefined) state.output += `${problem}\n`;
      resolve({ ...state, code, ok: code === 0 && !state.timedOut && !state.lingered });
    };
    child.once('error', (error) => done(null, error.message));
    // Stragglers of the command would hold ports, files and this very pipe.
    child.once('exit', () => signalGroup(child, 'SIGKILL'));
    child.once('close', (code) => done(code));
  });
}

function signalGroup(child, signal) {
  try {
    process.kill(-child.pid, signal);
  } catch {
    // The group is gone already.
  }
}
