/** What the house expects of a logger; `ops/` brings the real one. */

/** Facts that go with a message. Never a key, never a value. */
export type LogFields = Readonly<Record<string, string | number | bigint | boolean | undefined>>;

/** A structured logger. Calls return at once and never throw: a stalled log reader loses lines, not availability. */
export interface Logger {
  debug(fields: LogFields, message: string): void;
  info(fields: LogFields, message: string): void;
  warn(fields: LogFields, message: string): void;
  error(fields: LogFields, message: string): void;
}

/** A logger that keeps nothing. */
export const silentLogger: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};
