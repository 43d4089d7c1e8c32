/** Where a development cluster is shown: a terminal whose last lines are redrawn in place, or plain lines. */
import { cut } from '../format';

const HIDE_CURSOR = '\x1b[?25l';
const SHOW_CURSOR = '\x1b[?25h';
const CLEAR_TO_END = '\x1b[J';

/** Somewhere to show things. */
export interface Screen {
  /** Adds a line that stays. */
  say(line: string): void;
  /** Shows the present state, in place of the one shown before. Does nothing where that is impossible. */
  draw(lines: readonly string[]): void;
  /** Leaves everything as it is, with a visible cursor. Harmless when repeated. */
  close(): void;
}

/** The part of a terminal or pipe that is used. */
export interface ScreenStream {
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
  write(text: string): unknown;
}

/** A screen that fits: redrawn in place on a terminal that can, plain lines elsewhere. */
export function screenFor(stream: ScreenStream, terminalKind: string | undefined): Screen {
  return stream.isTTY === true && terminalKind !== 'dumb' ? terminalScreen(stream) : plainScreen(stream);
}

function plainScreen(stream: ScreenStream): Screen {
  return {
    say: (line) => stream.write(`${line}\n`),
    draw: () => undefined,
    close: () => undefined,
  };
}

function terminalScreen(stream: ScreenStream): Screen {
  let drawn: readonly string[] = [];
  let shownLines = 0;
  let open = true;
  // To the first of the drawn lines; whatever is written next replaces them.
  const home = () => (shownLines === 0 ? '\r' : `\r\x1b[${String(shownLines)}A`) + CLEAR_TO_END;
  const region = () => {
    const lines = drawn.slice(0, known(stream.rows, 24) - 1);
    shownLines = lines.length;
    // A line that wrapped would count as two.
    return lines.map((line) => `${cut(line, known(stream.columns, 80) - 1)}\n`).join('');
  };
  return {
    say(line) {
      stream.write(`${open ? home() : ''}${line}\n${open ? region() : ''}`);
    },
    draw(lines) {
      if (!open) return;
      const start = home();
      drawn = lines;
      stream.write(HIDE_CURSOR + start + region());
    },
    close() {
      if (!open) return;
      open = false;
      stream.write(SHOW_CURSOR);
    },
  };
}

/** A terminal that does not know its size says that it is 0. */
function known(size: number | undefined, fallback: number): number {
  return size === undefined || size < 2 ? fallback : size;
}
