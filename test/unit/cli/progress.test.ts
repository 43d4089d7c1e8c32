import { bar, progressOn } from '../../../src/cli/progress';

function stream(isTTY: boolean) {
  const written: string[] = [];
  return { written, isTTY, columns: 60, write: (text: string) => written.push(text) };
}

describe('progress', () => {
  it('is one line of a terminal, redrawn no faster than anybody sees, and empty at the end', () => {
    const terminal = stream(true);
    let now = 0;
    const progress = progressOn(terminal, () => now);
    for (now of [0, 50, 100]) progress.show(now / 100, 'x');
    progress.end();
    expect(terminal.written).toEqual([
      '\r\x1b[K[------------------------------]   0 % x',
      '\r\x1b[K[##############################] 100 % x',
      '\r\x1b[K',
    ]);
  });

  it('fits on the line', () => {
    const terminal = stream(true);
    progressOn(terminal).show(undefined, 'x'.repeat(100));
    expect(terminal.written[0]).toHaveLength('\r\x1b[K'.length + 59);
  });

  it('is nothing elsewhere', () => {
    const pipe = stream(false);
    const progress = progressOn(pipe);
    progress.show(0.5, 'x');
    progress.end();
    expect(pipe.written).toEqual([]);
  });

  it('has a bar that stays within its bounds', () => {
    expect(bar(0.5)).toBe(`[${'#'.repeat(15)}${'-'.repeat(15)}]  50 %`);
    expect(bar(7)).toBe(bar(1));
  });
});
