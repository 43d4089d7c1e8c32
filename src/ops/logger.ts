/** The program's log: pino, one JSON object a line, on standard output. */
import { pino } from 'pino';
import type { LogFields, Logger } from '../base/logger';
import { type LogSink, standardOutputSink } from './log-sink';
import type { ServeOptions } from './options';

/** A logger with an end. */
export interface ProcessLogger extends Logger {
  /** Waits until what was logged is written, at most `maxMs`. */
  flush(maxMs: number): Promise<void>;
  /** Writes what can be written without waiting, for the last words of a process. */
  flushNow(): void;
}

/** What a logger is made of. */
export interface LoggerOptions extends Pick<ServeOptions, 'logLevel' | 'logBufferBytes'> {
  /** Facts for every line, such as the member's name. */
  readonly base: LogFields;
}

/** The logger of this process. Its lines are dropped and counted, never waited for, while their reader stalls. */
export function createLogger(
  options: LoggerOptions,
  sink: LogSink = standardOutputSink(options.logBufferBytes),
): ProcessLogger {
  const settings = {
    level: options.logLevel,
    base: plain(options.base),
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
  };
  const lines = pino(settings, sink);
  sink.onResume((droppedLines) => {
    lines.warn({ droppedLines }, 'log lines were dropped because their reader stalled');
  });
  return {
    debug: (fields, message) => {
      if (lines.isLevelEnabled('debug')) lines.debug(plain(fields), message);
    },
    info: (fields, message) => {
      lines.info(plain(fields), message);
    },
    warn: (fields, message) => {
      lines.warn(plain(fields), message);
    },
    error: (fields, message) => {
      lines.error(plain(fields), message);
    },
    flush: (maxMs) => sink.flush(maxMs),
    flushNow: () => {
      sink.flushNow();
    },
  };
}

/** Ids are 64-bit: as decimal text they survive every JSON reader. */
function plain(fields: LogFields): Record<string, unknown> {
  const copy: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(fields)) copy[name] = typeof value === 'bigint' ? value.toString() : value;
  return copy;
}
