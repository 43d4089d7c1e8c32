/** Processes, as the operating system knows them. */
import { readFileSync } from 'node:fs';
import { eventually } from './process-cluster';

/** The processes that were started by a process and have not been waited for. */
export function childrenOf(pid: number): readonly number[] {
  try {
    const list = readFileSync(`/proc/${String(pid)}/task/${String(pid)}/children`, 'utf8');
    return list.trim() === '' ? [] : list.trim().split(' ').map(Number);
  } catch {
    return [];
  }
}

/** Whether a process runs; one that nobody has waited for does not. */
export function isAlive(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${String(pid)}/status`, 'utf8'));
  } catch {
    return false;
  }
}

/** Memory that a process holds, bytes. */
export function residentBytes(pid: number): number {
  const [, kib] = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${String(pid)}/status`, 'utf8')) ?? [];
  return Number(kib) * 1024;
}

export async function allGone(pids: readonly number[], withinMs = 5000): Promise<void> {
  await eventually(withinMs, `the end of ${pids.join(', ')}`, async () => (pids.some(isAlive) ? undefined : true));
}
