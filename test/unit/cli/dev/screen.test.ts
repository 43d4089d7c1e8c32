import { screenFor } from '../../../../src/cli/dev/screen';

/** A terminal that knows just enough to show what a person would see. */
class TinyTerminal {
  readonly isTTY = true;
  columns = 20;
  rows = 6;
  lines: string[] = [''];
  cursorShown = true;
  #row = 0;

  write(text: string): void {
    const pattern = /\x1b\[(\?25l|\?25h|J|(\d+)A)|\r|\n|[^\x1b\r\n]+/g;
    for (const [token, code, up] of text.matchAll(pattern)) {
      if (code === '?25l') this.cursorShown = false;
      else if (code === '?25h') this.cursorShown = true;
      else if (code === 'J') this.lines = [...this.lines.slice(0, this.#row), ''];
      else if (up !== undefined) this.#row -= Number(up);
      else if (token === '\n') this.lines[++this.#row] ??= '';
      else if (token !== '\r') this.lines[this.#row] = token;
    }
  }
}

describe('screen', () => {
  it('redraws in place on a terminal, with lines that stay above', () => {
    const terminal = new TinyTerminal();
    const screen = screenFor(terminal, 'xterm');
    screen.say('hello');
    screen.draw(['one', 'two']);
    screen.draw(['uno', 'dos', 'tres']);
    screen.say('news');
    expect(terminal.lines).toEqual(['hello', 'news', 'uno', 'dos', 'tres', '']);
    expect(terminal.cursorShown).toBe(false);
    screen.draw([]);
    screen.close();
    screen.say('bye');
    expect(terminal.lines).toEqual(['hello', 'news', 'bye', '']);
    expect(terminal.cursorShown).toBe(true);
  });

  it('cuts what would wrap or scroll, since the lines could not be found again', () => {
    const terminal = new TinyTerminal();
    const screen = screenFor(terminal, 'xterm');
    screen.draw(['x'.repeat(30), 'b', 'c', 'd', 'e', 'f', 'g', 'h']);
    expect(terminal.lines).toEqual([`${'x'.repeat(18)}…`, 'b', 'c', 'd', 'e', '']);
  });

  it('takes an unknown size for a usual one', () => {
    const terminal = new TinyTerminal();
    terminal.columns = 0;
    terminal.rows = 0;
    screenFor(terminal, 'xterm').draw(['x'.repeat(79), 'y'.repeat(80)]);
    expect(terminal.lines).toEqual(['x'.repeat(79), `${'y'.repeat(78)}…`, '']);
  });

  it.each([
    [{ isTTY: false }, 'xterm'],
    [{ isTTY: true }, 'dumb'],
  ])('says plain lines elsewhere: %j %s', (kind, terminalKind) => {
    let written = '';
    const screen = screenFor({ ...kind, write: (text) => (written += text) }, terminalKind);
    screen.say('hello');
    screen.draw(['one']);
    screen.close();
    expect(written).toBe('hello\n');
  });
});
