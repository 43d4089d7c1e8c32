/** Keeps the streams of an HTTP/2 session from outliving their calls. */
import type { ServerHttp2Session } from 'node:http2';
import { RenewingMap } from '../base/renewing-map';
import { isKnownNode } from './known-node';

/**
 * `node:http2` keeps the open streams of a session in a `Map` of its own, where each call comes and goes, so that dead streams with
 * their headers pile up in the old generation (see `RenewingMap`). This puts a map in its place that does not have this effect: 0.8 of
 * the CPU of a bare call, and a quarter of the major collections (ADR 13). There is no public way to it. Where Node's insides are
 * not what they were, nothing is changed.
 *
 * @param session without a stream so far
 * @returns false if nothing was changed
 */
export function untangle(session: ServerHttp2Session, version = process.versions.node): boolean {
  if (!isKnownNode(version)) return false;
  for (const name of Object.getOwnPropertySymbols(session)) {
    const state = (session as unknown as Record<symbol, unknown>)[name];
    if (!hasStreams(state) || state.streams.size > 0) continue;
    state.streams = new RenewingMap<number, unknown>();
    return true;
  }
  return false;
}

/** What a session knows of its streams: all that `node:http2` uses of the map. */
interface SessionState {
  streams: Pick<RenewingMap<number, unknown>, 'size' | 'get' | 'set' | 'delete' | 'forEach'>;
}

function hasStreams(state: unknown): state is SessionState {
  if (typeof state !== 'object' || state === null || !('streams' in state && 'pendingStreams' in state)) return false;
  // Not an instance of `Map`: Node cuts its own maps off from whoever changes the prototypes.
  return state.streams?.constructor.name === 'SafeMap';
}
