/** Progress of long work: one line that is redrawn on a terminal, nothing elsewhere. */
import { cut } from './format';

/** The part of a stream that is used. */
export interface ProgressStream {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

/** Somewhere to show progress. */
export interface Progress {
  /** @param part of the whole that is done, 0 to 1; `undefined` when nobody knows the whole */
  show(part: number | undefined, text: string): void;
  /** Leaves the line empty again. */
  end(): void;
}

/** How often it is redrawn, milliseconds. */
const redrawIntervalMs = 100;
const barWidth = 30;

/** Shows progress on a terminal that can redraw a line. */
export function progressOn(stream: ProgressStream, now: () => number = () => performance.now()): Progress {
  if (stream.isTTY !== true || process.env['TERM'] === 'dumb') return { show: () => undefined, end: () => undefined };
  let shownAt = -Infinity;
  return {
    show(part, text) {
      if (now() - shownAt < redrawIntervalMs) return;
      shownAt = now();
      const line = part === undefined ? text : `${bar(part)} ${text}`;
      stream.write(`\r\x1b[K${cut(line, (stream.columns ?? 80) - 1)}`);
    },
    end() {
      if (shownAt > -Infinity) stream.write('\r\x1b[K');
    },
  };
}

/** `[######------]  50 %` */
export function bar(part: number): string {
  const bounded = Math.min(1, Math.max(0, part));
  const filled = Math.floor(bounded * barWidth);
  const percent = String(Math.floor(100 * bounded)).padStart(3);
  return `[${'#'.repeat(filled)}${'-'.repeat(barWidth - filled)}] ${percent} %`;
}
