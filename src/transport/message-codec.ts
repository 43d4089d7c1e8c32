/** Peer messages to and from their wire form, except AppendEntries. What comes off the wire is checked before anyone sees it. */
import { unreachable } from '../base/assert';
import {
  ForwardRequest,
  ForwardResponse,
  RefusalReason,
  type ForwardProposals,
  type ForwardRefused as WireRefused,
} from '../gen/quorate/peer/v1/forward';
import {
  AppendEntriesResponse as WireAppendEntriesResponse,
  RequestVoteRequest,
  RequestVoteResponse as WireRequestVoteResponse,
  TimeoutNowRequest,
} from '../gen/quorate/peer/v1/raft';
import type { AppendEntriesResponse, MemberId, RequestVote, RequestVoteResponse, TimeoutNow } from '../raft';
import { maxForwardChangeBytes, type ForwardMessage } from './transport';
import { checkField, decodeWire, encodeWire, type CodecLimits } from './wire';

/** What a member asks of the leader. */
export type ForwardQuestion = Extract<
  ForwardMessage,
  { kind: 'forward-proposals' | 'forward-read' | 'forward-change' }
>;
/** What the leader answers. */
export type ForwardAnswer = Exclude<ForwardMessage, ForwardQuestion>;

export function encodeAppendEntriesResponse(message: AppendEntriesResponse): Buffer {
  const { term, success, readRound } = message;
  const refused = message.success ? { rejectedIndex: 0, hintIndex: 0, hintTerm: 0 } : message;
  const { rejectedIndex, hintIndex, hintTerm } = refused;
  const { matchIndex, followsClosely } = message.success ? message : { matchIndex: 0, followsClosely: false };
  const wire = { term, success, matchIndex, rejectedIndex, hintIndex, hintTerm, readRound, followsClosely };
  return encodeWire(WireAppendEntriesResponse, wire);
}

/** @throws QuorateError `invalid-argument` */
export function decodeAppendEntriesResponse(bytes: Uint8Array): AppendEntriesResponse {
  const wire = decodeWire(WireAppendEntriesResponse, bytes);
  const { term, readRound, matchIndex, rejectedIndex, hintIndex, hintTerm, followsClosely } = wire;
  checkField(term >= 1, 'term', 'at least 1', term);
  if (wire.success) {
    return { kind: 'append-entries-response', success: true, term, matchIndex, readRound, followsClosely };
  }
  checkField(hintIndex <= rejectedIndex, 'hint_index', 'at most rejected_index', hintIndex);
  checkField((hintIndex === 0) === (hintTerm === 0), 'hint_term', '0 at index 0 only', hintTerm);
  checkField(hintTerm <= term, 'hint_term', 'at most term', hintTerm);
  return { kind: 'append-entries-response', success: false, term, rejectedIndex, hintIndex, hintTerm, readRound };
}

export function encodeRequestVote(message: RequestVote, candidateId: MemberId): Buffer {
  const { term, lastLogIndex, lastLogTerm, preVote, leadershipTransfer } = message;
  const wire = { term, candidateId, lastLogIndex, lastLogTerm, preVote, leadershipTransfer };
  return encodeWire(RequestVoteRequest, wire);
}

/** @throws QuorateError `invalid-argument` */
export function decodeRequestVote(bytes: Uint8Array, from: MemberId): RequestVote {
  const wire = decodeWire(RequestVoteRequest, bytes);
  const { term, lastLogIndex, lastLogTerm, preVote, leadershipTransfer } = wire;
  checkField(wire.candidateId === from, 'candidate_id', `${from}, the sender`, wire.candidateId);
  checkField(term >= 1, 'term', 'at least 1', term);
  checkField(lastLogTerm <= term, 'last_log_term', 'at most term', lastLogTerm);
  checkField((lastLogIndex === 0) === (lastLogTerm === 0), 'last_log_term', '0 at index 0 only', lastLogTerm);
  return { kind: 'request-vote', term, lastLogIndex, lastLogTerm, preVote, leadershipTransfer };
}

export function encodeRequestVoteResponse(message: RequestVoteResponse): Buffer {
  const { term, voteGranted, preVote } = message;
  return encodeWire(WireRequestVoteResponse, { term, voteGranted, preVote });
}

/** @throws QuorateError `invalid-argument` */
export function decodeRequestVoteResponse(bytes: Uint8Array): RequestVoteResponse {
  const { term, voteGranted, preVote } = decodeWire(WireRequestVoteResponse, bytes);
  // A voter that refuses a pre-vote may still be in term 0.
  checkField(term >= 1 || !voteGranted, 'term', 'at least 1 for a granted vote', term);
  return { kind: 'request-vote-response', term, voteGranted, preVote };
}

export function encodeTimeoutNow(message: TimeoutNow): Buffer {
  return encodeWire(TimeoutNowRequest, { term: message.term });
}

/** @throws QuorateError `invalid-argument` */
export function decodeTimeoutNow(bytes: Uint8Array): TimeoutNow {
  const { term } = decodeWire(TimeoutNowRequest, bytes);
  checkField(term >= 1, 'term', 'at least 1', term);
  return { kind: 'timeout-now', term };
}

export function encodeForwardQuestion(message: ForwardQuestion): Buffer {
  return encodeWire(ForwardRequest, { requestId: message.requestId, request: toWireQuestion(message) });
}

function toWireQuestion(message: ForwardQuestion): NonNullable<ForwardRequest['request']> {
  switch (message.kind) {
    case 'forward-proposals':
      return { $case: 'proposals', value: { term: message.term, payloads: message.payloads as Buffer[] } };
    case 'forward-read':
      return { $case: 'readIndex', value: {} };
    case 'forward-change':
      return { $case: 'change', value: { payload: message.payload as Buffer } };
    default:
      return unreachable(message);
  }
}

/** @throws QuorateError `invalid-argument` */
export function decodeForwardQuestion(bytes: Uint8Array, limits: CodecLimits): ForwardQuestion {
  const { requestId, request } = decodeWire(ForwardRequest, bytes);
  checkField(request !== undefined, 'request', 'present', 'missing or of an unknown kind');
  switch (request.$case) {
    case 'proposals':
      return decodeProposals(requestId, request.value, limits);
    case 'readIndex':
      return { kind: 'forward-read', requestId };
    case 'change': {
      const { payload } = request.value;
      checkChangePayload('change.payload', payload);
      return { kind: 'forward-change', requestId, payload };
    }
    default:
      return unreachable(request);
  }
}

function decodeProposals(requestId: number, wire: ForwardProposals, limits: CodecLimits): ForwardQuestion {
  const { term, payloads } = wire;
  checkField(term >= 1, 'proposals.term', 'at least 1', term);
  checkField(payloads.length > 0, 'proposals.payloads', 'at least one', 0);
  for (const { length } of payloads) {
    checkField(
      length <= limits.maxEntryBytes,
      'proposals.payloads',
      `at most ${limits.maxEntryBytes} bytes each`,
      length,
    );
  }
  return { kind: 'forward-proposals', requestId, term, payloads };
}

function checkChangePayload(field: string, { length }: Uint8Array): void {
  checkField(length <= maxForwardChangeBytes, field, `at most ${maxForwardChangeBytes} bytes`, length);
}

export function encodeForwardAnswer(message: ForwardAnswer): Buffer {
  return encodeWire(ForwardResponse, { requestId: message.requestId, response: toWireAnswer(message) });
}

function toWireAnswer(message: ForwardAnswer): NonNullable<ForwardResponse['response']> {
  switch (message.kind) {
    case 'forward-read-index':
      return { $case: 'readIndex', value: { index: message.readIndex } };
    case 'forward-change-result':
      return { $case: 'changeResult', value: { payload: message.payload as Buffer } };
    case 'forward-refused':
      return { $case: 'refused', value: { reason: wireReasons[message.reason] } };
    default:
      return unreachable(message);
  }
}

/** @throws QuorateError `invalid-argument` */
export function decodeForwardAnswer(bytes: Uint8Array): ForwardAnswer {
  const { requestId, response } = decodeWire(ForwardResponse, bytes);
  checkField(response !== undefined, 'response', 'present', 'missing or of an unknown kind');
  switch (response.$case) {
    case 'readIndex':
      return { kind: 'forward-read-index', requestId, readIndex: response.value.index };
    case 'changeResult': {
      const { payload } = response.value;
      checkChangePayload('change_result.payload', payload);
      return { kind: 'forward-change-result', requestId, payload };
    }
    case 'refused':
      return { kind: 'forward-refused', requestId, reason: refusalReason(response.value) };
    default:
      return unreachable(response);
  }
}

type Reason = Extract<ForwardAnswer, { kind: 'forward-refused' }>['reason'];

const wireReasons: Record<Reason, RefusalReason> = {
  'not-leader': RefusalReason.NOT_LEADER,
  overloaded: RefusalReason.OVERLOADED,
};

function refusalReason({ reason }: WireRefused): Reason {
  if (reason === RefusalReason.NOT_LEADER) return 'not-leader';
  checkField(reason === RefusalReason.OVERLOADED, 'refused.reason', 'known', reason);
  return 'overloaded';
}
