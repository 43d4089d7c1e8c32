/** What all calls of the etcd API have in common: whether this member may answer, and errors in etcd's words. */
import type { handleServerStreamingCall, handleUnaryCall, Metadata } from '@grpc/grpc-js';
import type { MemberId } from '../../raft';
import type { DuplexPort, DuplexSession } from '../duplex-streams';
import { pipelined, type PipelinedHandler, type PipelineOptions } from '../pipelined-session';
import type { ServerStreams, StreamHandler } from '../server-streams';
import type { UnaryCalls, UnaryHandler } from '../unary-calls';
import type { WaitingCalls, WaitingHandler } from '../waiting-calls';
import { EtcdError, etcdDialect } from './errors';

/** What decides whether a member may answer. */
export interface MemberStanding {
  /** The leader this member knows; `undefined` if none. */
  leader(): MemberId | undefined;
  /** Whether this member receives the log and does not vote. */
  isLearner(): boolean;
}

/** A client that sets this to `true` wants an error at once where there is no leader, also for what needs none. */
const hasLeaderKey = 'hasleader';

/** All that the handlers of etcd's API read of what a client sends along. */
export const etcdMetadataKeys: readonly string[] = [hasLeaderKey];

/** True for requests that a learner answers. */
export type LearnerRule<Request> = (request: Request) => boolean;

const notByLearners = (): boolean => false;

/** Makes gRPC handlers of the etcd API, on the funnels that all APIs share. */
export class EtcdCalls {
  readonly #calls: UnaryCalls;
  readonly #standing: MemberStanding;

  constructor(calls: UnaryCalls, standing: MemberStanding) {
    this.#calls = calls;
    this.#standing = standing;
  }

  /** @param forLearners which requests a learner answers; none, unless told otherwise */
  unary<Request, Response>(
    answer: UnaryHandler<Request, Response>,
    forLearners: LearnerRule<Request> = notByLearners,
  ): handleUnaryCall<Request, Response> {
    // Not async: what it throws is an answer like a rejection, and every answer would wait for a promise more.
    return this.#calls.handler((request, call) => {
      this.admit(call.metadata, forLearners(request));
      return answer(request, call);
    }, etcdDialect);
  }

  /** A call that waits for as long as its client does; learners refuse it. */
  waiting<Request, Response>(
    waiting: WaitingCalls,
    answer: WaitingHandler<Request, Response>,
  ): handleUnaryCall<Request, Response> {
    return waiting.handler(async (request, call) => {
      this.admit(call.metadata, false);
      return answer(request, call);
    }, etcdDialect);
  }

  /** A stream of answers, bounded and paced by `streams`; learners send it too. */
  serverStream<Request, Response>(
    streams: ServerStreams,
    produce: StreamHandler<Request, Response>,
  ): handleServerStreamingCall<Request, Response> {
    return streams.handler((request, call) => {
      this.admit(call.metadata, true);
      return produce(request, call);
    }, etcdDialect);
  }

  /** A session in which each request has its answer; learners refuse it. */
  pipelined<Request, Response>(
    answer: PipelinedHandler<Request, Response>,
    options: PipelineOptions<Response>,
  ): (port: DuplexPort<Response>) => DuplexSession<Request> {
    return pipelined(async (request, call) => {
      this.admit(call.metadata, false);
      return answer(request, call);
    }, options);
  }

  /**
   * Every call passes here first.
   *
   * @throws EtcdError `learner-unsupported`, `no-leader`
   */
  admit(metadata: Metadata, learnersAnswer: boolean): void {
    if (!learnersAnswer && this.#standing.isLearner()) throw new EtcdError('learner-unsupported');
    if (wantsLeader(metadata) && this.#standing.leader() === undefined) throw new EtcdError('no-leader');
  }
}

/** Whether the client asks for a member that knows a leader. */
export function wantsLeader(metadata: Metadata): boolean {
  return metadata.get(hasLeaderKey)[0] === 'true';
}
