/** Where log lines go: standard output, without ever blocking the event loop, within a bounded buffer. */
import { fstatSync } from 'node:fs';
import { destination } from 'pino';

/**
 * A bounded way out. Measured on Linux: pino's own asynchronous destination writes to a pipe from libuv's thread pool,
 * and a thread that is stuck in such a write makes `process.exit` wait for ever. So pipes and sockets are written
 * non-blocking, through the event loop, and only files and terminals from the pool.
 */
export interface LogSink {
  /** Takes a line, or drops it when the buffer is full. Never blocks, never throws. */
  write(line: string): void;
  /** Called once when there is room again after lines were dropped, with their number. */
  onResume(report: (droppedLines: number) => void): void;
  /** Waits until all lines are written, at most `maxMs`. */
  flush(maxMs: number): Promise<void>;
  /** Writes what can be written at once; for the last words of a process that ends now. */
  flushNow(): void;
}

/** A stream that tells how far behind it is. */
interface Outlet {
  write(line: string): void;
  pendingBytes(): number;
  /** Calls back whenever everything is written. */
  onDrain(listener: () => void): void;
  onError(listener: () => void): void;
  flushNow(): void;
}

/** Standard output as a sink that holds at most `maxBytes` for a slow reader. */
export function standardOutputSink(maxBytes: number): LogSink {
  const kind = fstatSync(1);
  return boundedSink(kind.isFIFO() || kind.isSocket() ? pipeOutlet() : fileOutlet(), maxBytes);
}

function boundedSink(outlet: Outlet, maxBytes: number): LogSink {
  let dropped = 0;
  let closed = false;
  let report: (droppedLines: number) => void = () => undefined;
  let flushed: (() => void)[] = [];
  outlet.onError(() => {
    // The reader is gone (EPIPE): nobody is left to tell.
    closed = true;
  });
  outlet.onDrain(() => {
    const lost = dropped;
    dropped = 0;
    if (lost > 0) report(lost);
    for (const resolve of flushed) resolve();
    flushed = [];
  });
  return {
    write(line) {
      if (closed || outlet.pendingBytes() + line.length > maxBytes) dropped++;
      else outlet.write(line);
    },
    onResume(listener) {
      report = listener;
    },
    async flush(maxMs) {
      if (closed || outlet.pendingBytes() === 0) return;
      await new Promise<void>((resolve) => {
        flushed.push(resolve);
        setTimeout(resolve, maxMs);
      });
    },
    flushNow() {
      if (!closed) outlet.flushNow();
    },
  };
}

function pipeOutlet(): Outlet {
  let pending = 0;
  let drained: () => void = () => undefined;
  const stream = process.stdout;
  return {
    write(line) {
      const bytes = Buffer.byteLength(line);
      pending += bytes;
      stream.write(line, () => {
        pending -= bytes;
        if (pending === 0) drained();
      });
    },
    pendingBytes: () => pending,
    onDrain: (listener) => {
      drained = listener;
    },
    onError: (listener) => void stream.on('error', listener),
    // The stream writes at once whatever the pipe has room for; more cannot be done without waiting.
    flushNow: () => undefined,
  };
}

function fileOutlet(): Outlet {
  let pending = 0;
  const stream = destination({ dest: 1, sync: false });
  stream.on('write', (bytes: number) => {
    pending -= bytes;
  });
  return {
    write(line) {
      pending += Buffer.byteLength(line);
      stream.write(line);
    },
    pendingBytes: () => pending,
    onDrain: (listener) => void stream.on('drain', listener),
    onError: (listener) => void stream.on('error', listener),
    flushNow() {
      try {
        stream.flushSync();
      } catch {
        // The file or terminal is gone: nobody is left to tell.
      }
    },
  };
}
