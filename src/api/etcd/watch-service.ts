/** `etcdserverpb.Watch`: the streams of watches, and when they end. */
import type { WatchRequest, WatchResponse, WatchServer } from '../../gen/etcd/etcdserverpb/watch';
import type { DuplexPort, DuplexSession, DuplexStreams } from '../duplex-streams';
import type { Encoded } from '../encoded-responses';
import { EtcdError } from './errors';
import { type EtcdCalls, wantsLeader } from './etcd-calls';
import { etcdLimits } from './limits';
import { EventMessages } from './watch-messages';
import { WatchSession, type WatchSessionLimits, type WatchSessionNeeds } from './watch-session';

/** What the service needs of a member. */
export interface WatchServiceDependencies extends Omit<WatchSessionNeeds, 'watchLimits' | 'eventMessages'> {
  /** Whether this member knows a leader. */
  hasLeader(): boolean;
  /** Milliseconds. */
  readonly electionTimeoutMs: number;
}

/** The streams of a member, and what one holds for its client. */
export const watchStreamLimits = { maxStreams: 20_000, maxBytesInFlight: 32 * 1024 } as const;

/** etcd cuts messages (for watches that allow it) at the size of the largest message it reads itself. */
const watchLimits: WatchSessionLimits = {
  maxMessageBytes: 32 * 1024,
  maxFragmentBytes: etcdLimits.maxCommandBytes + etcdLimits.requestOverheadBytes,
  maxReplies: 100,
};

/** For so many election timeouts there may be no leader before streams end whose clients want one. */
const leaderlessTimeouts = 3;

/** The gRPC handlers of the service. */
export function watchServiceHandlers(
  needs: WatchServiceDependencies,
  calls: EtcdCalls,
  streams: DuplexStreams,
): WatchServer {
  const sessionNeeds = { ...needs, watchLimits, eventMessages: new EventMessages() };
  return {
    watch: streams.handler<WatchRequest, Encoded<WatchResponse>>((port) => {
      calls.admit(port.metadata, false);
      const session = new WatchSession(port, sessionNeeds);
      return wantsLeader(port.metadata) ? endedWithoutLeader(session, port, needs) : session;
    }),
  };
}

/** The session, whose stream fails when there is no leader for too long. */
function endedWithoutLeader<Request>(
  session: DuplexSession<Request>,
  port: Pick<DuplexPort<unknown>, 'fail'>,
  needs: WatchServiceDependencies,
): DuplexSession<Request> {
  let missed = 0;
  const look = () => {
    missed = needs.hasLeader() ? 0 : missed + 1;
    if (missed >= leaderlessTimeouts) port.fail(new EtcdError('no-leader'));
    else timer = needs.scheduler.after(needs.electionTimeoutMs, look);
  };
  let timer = needs.scheduler.after(needs.electionTimeoutMs, look);
  return {
    onRequest: (request) => {
      session.onRequest(request);
    },
    onRequestsEnd: () => {
      session.onRequestsEnd();
    },
    onWritable: () => {
      session.onWritable();
    },
    onClosed: () => {
      timer.cancel();
      session.onClosed();
    },
  };
}
