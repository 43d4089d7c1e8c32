/** A reader of the log that stalls must cost lines, never availability. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { openSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { wordOf } from '../support/child-words';

const program = join(__dirname, '../support/programs/log-flood.js');

function start(): ChildProcess {
  return fork(program, { stdio: ['ignore', 'pipe', 'inherit', 'ipc'] });
}

describe('a stalled reader of standard output', () => {
  it('does not keep the member from answering, nor from ending on SIGTERM', async () => {
    const child = start();
    expect(await wordOf(child)).toEqual({ flooded: true });
    for (let i = 0; i < 5; i++) {
      const before = Date.now();
      child.send('are you there?');
      await wordOf(child);
      expect(Date.now() - before).toBeLessThan(500);
    }
    const ended = once(child, 'exit');
    child.kill('SIGTERM');
    expect(await Promise.race([ended, sleep(5000, 'still running', { ref: false })])).toEqual([0, null]);
  });

  it('gets the lines that fitted, and then the number of those that did not', async () => {
    const child = start();
    await wordOf(child);
    let text = '';
    child.stdout?.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
    while (!text.includes('droppedLines')) await sleep(20);
    child.kill('SIGTERM');
    await once(child, 'exit');
    const lines = text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { i?: number; droppedLines?: number });
    const written = lines.filter(({ i }) => i !== undefined).length;
    const dropped = lines.reduce((sum, line) => sum + (line.droppedLines ?? 0), 0);
    expect(written).toBeGreaterThan(100);
    expect(written + dropped).toBe(8000);
  });

  it('that goes away is not missed', async () => {
    const child = start();
    child.stdout?.destroy();
    await wordOf(child);
    child.send('are you there?');
    expect(await wordOf(child)).toHaveProperty('answeredAt');
    child.kill('SIGTERM');
    expect(await once(child, 'exit')).toEqual([0, null]);
  });

  it('is no matter when the log is a file: every line is there', async () => {
    const path = join(__dirname, `../../dist/.log-stall-${String(process.pid)}`);
    const file = openSync(path, 'w');
    const child = fork(program, { stdio: ['ignore', file, 'inherit', 'ipc'] });
    await wordOf(child);
    child.kill('SIGTERM');
    expect(await once(child, 'exit')).toEqual([0, null]);
    const lines = readFileSync(path, 'utf8').trimEnd().split('\n');
    rmSync(path);
    const total = lines
      .map((line) => JSON.parse(line) as { i?: number; droppedLines?: number })
      .reduce((sum, { i, droppedLines }) => sum + (i === undefined ? (droppedLines ?? 0) : 1), 0);
    expect(total).toBe(8000);
  });
});
