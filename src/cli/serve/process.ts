/** A member as a process: signals stop it in order, errors nobody expected stop it at once. */
import { tierUpSooner } from '../../api/tier-up';
import { QuorateError } from '../../base/error';
import type { EarlyIndexReading } from '../../kv/early-index';
import { makeRoomForGarbage } from '../../ops/garbage-room';
import { routeGrpcLog } from '../../ops/grpc-log';
import { createLogger, type ProcessLogger } from '../../ops/logger';
import type { ServeOptions } from '../../ops/options';
import { exitCode } from '../exit-code';
import { programVersion } from '../version';
import { type Member, startMember } from './member';

/** How long the last log lines may take to be written, milliseconds. */
const lastLinesMs = 500;

/** What stopping may take beside draining, milliseconds; then the process ends all the same. */
const stopMarginMs = 10_000;

/**
 * Runs a member until a signal ends it. Never returns normally: it ends the process.
 *
 * @param reading of the index of its state, begun already
 */
export async function runMember(options: ServeOptions, reading: EarlyIndexReading): Promise<void> {
  const logger = createLogger({ ...options, base: { member: options.name, pid: process.pid } });
  routeGrpcLog(logger);
  const fatal = (error: unknown): never => dieAt(logger, error);
  process.on('uncaughtException', fatal);
  process.on('unhandledRejection', fatal);
  const stop = stopOnce(options, logger, () => starting);
  const onRemoved = (): void => {
    stop('this member was removed from the cluster; its data directory is of no use any more');
  };
  const starting = startMember(options, { logger, reading, onFatal: fatal, onRemoved });
  stopOnSignals(stop);
  const { origin } = await starting;
  tierUpSooner();
  makeRoomForGarbage();
  const { clientListen, peerListen } = options;
  const ids = { id: origin.self.id, clusterId: origin.clusterId };
  const tls = {
    clientTls: tlsOf(options.clientCertFile, options.clientCaFile),
    peerTls: tlsOf(options.peerCertFile, options.peerCaFile),
  };
  logger.info({ ...ids, clientListen, peerListen, ...tls, version: programVersion() }, 'member is serving');
}

function tlsOf(certificate: string | undefined, authorities: string | undefined): 'none' | 'one-sided' | 'mutual' {
  if (certificate === undefined) return 'none';
  return authorities === undefined ? 'one-sided' : 'mutual';
}

/** The state of this process can no longer be trusted: it says why, answers nobody, and ends. */
function dieAt(logger: ProcessLogger, error: unknown): never {
  const expected = error instanceof QuorateError;
  const reason = error instanceof Error ? (expected ? error.message : (error.stack ?? error.message)) : String(error);
  logger.error({ reason, code: expected ? error.code : 'bug' }, 'this member cannot go on and stops at once');
  logger.flushNow();
  process.exit(expected ? exitCode.damaged : exitCode.bug);
}

/** Stops the member in order; when asked again, at once. */
function stopOnce(
  options: ServeOptions,
  logger: ProcessLogger,
  starting: () => Promise<Member>,
): (cause: string) => void {
  let stopping = false;
  return (cause) => {
    if (stopping) {
      logger.warn({ cause }, 'asked to stop again: ends at once');
      logger.flushNow();
      process.exit(exitCode.notDone);
    }
    stopping = true;
    logger.info({ cause }, 'stopping');
    void stopInOrder(options, logger, starting());
  };
}

function stopOnSignals(stop: (cause: string) => void): void {
  let asked = false;
  const ask = (cause: string): void => {
    asked = true;
    stop(cause);
  };
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, ask);
  // Started by `quorate dev`, which is gone: nobody else would stop this member.
  if (process.connected) {
    process.once('disconnect', () => {
      if (!asked) ask('parent is gone');
    });
  }
}

async function stopInOrder(options: ServeOptions, logger: ProcessLogger, starting: Promise<Member>): Promise<void> {
  setTimeout(() => {
    logger.error({}, 'stopping took too long: ends at once');
    logger.flushNow();
    process.exit(exitCode.notDone);
  }, options.drainTimeoutMs + stopMarginMs);
  // A start that fails ends the process by itself.
  const member = await starting.catch(() => undefined);
  if (member === undefined) return;
  await member.stop();
  logger.info({}, 'stopped');
  await logger.flush(lastLinesMs);
  process.exit(exitCode.ok);
}
