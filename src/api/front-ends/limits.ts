/** The bounds of front ends. */

export const frontEndLimits = {
  /** Requests of one stream, by `costOf`, that a front end sends on before the member has taken them; then it reads no more. */
  requestWindow: 256 * 1024,
  /** The member tells what it has taken when it is so much: less often than the window is used up. */
  takenStep: 64 * 1024,
  /** What a request counts beside its bytes, so that empty ones are bounded too. */
  messageOverhead: 64,
  /** Bytes on their way from one front end to the member from which on new calls are refused. */
  maxUnsentBytes: 64 * 1024 * 1024,
  /** Connections that wait for a front end; more are closed. */
  maxWaitingConnections: 1024,
  /** A front end that is not ready after this long is ended, milliseconds. */
  startTimeoutMs: 30_000,
  /** A front end that is asked to end and does not is killed after this, milliseconds. */
  killAfterMs: 2_000,
  /** When it ends, connections have this long to be closed, milliseconds. */
  closeMs: 250,
  /** The member says so often that it is there, milliseconds. */
  pulseMs: 2_000,
  /** A front end whose member says nothing for once to twice as long ends, milliseconds. */
  silentMs: 20_000,
  /** The first pause before one that keeps ending is started again; doubled each time, milliseconds. */
  firstPauseMs: 100,
  maxPauseMs: 5_000,
  /** One that was at work for this long does not count as one that keeps ending, milliseconds. */
  steadyMs: 10_000,
} as const;

/** What a request of a stream counts against the window. */
export function costOf(message: Uint8Array): number {
  return message.length + frontEndLimits.messageOverhead;
}
