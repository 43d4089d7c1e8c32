/** Messages as one line for readers of a trace. */
import type { SnapshotMessage } from '../../transport/memory-snapshots';
import type { Carried } from './network';

export function describeMessage(message: Carried): string {
  switch (message.kind) {
    case 'append-entries': {
      const { term, prevLogIndex, prevLogTerm, entries, leaderCommit, readRound } = message;
      const what = entries.length === 0 ? 'heartbeat' : `${entries.length} entries`;
      return `${what} after ${prevLogIndex}:${prevLogTerm}, term ${term}, commit ${leaderCommit}, round ${readRound}`;
    }
    case 'append-entries-response':
      return message.success
        ? `holds ${message.matchIndex}, term ${message.term}, round ${message.readRound}${message.followsClosely ? ', closely' : ''}`
        : `refuses ${message.rejectedIndex}, try ${message.hintIndex}:${message.hintTerm}, term ${message.term}`;
    case 'request-vote':
      return `${message.preVote ? 'pre-vote' : 'vote'}? log ends ${message.lastLogIndex}:${message.lastLogTerm}, term ${message.term}`;
    case 'request-vote-response':
      return `${message.preVote ? 'pre-vote' : 'vote'} ${message.voteGranted ? 'granted' : 'refused'}, term ${message.term}`;
    case 'timeout-now':
      return `campaign now, term ${message.term}`;
    case 'forward-proposals':
      return `${message.payloads.length} proposals, request ${message.requestId}, term ${message.term}`;
    case 'forward-read':
      return `read, request ${message.requestId}`;
    case 'forward-read-index':
      return `read index ${message.readIndex}, request ${message.requestId}`;
    case 'forward-change':
      return `change, request ${message.requestId}`;
    case 'forward-change-result':
      return `what became of a change, request ${message.requestId}`;
    case 'forward-refused':
      return `refused: ${message.reason}, request ${message.requestId}`;
    case 'snapshot':
      return describeTransfer(message);
  }
}

function describeTransfer({ transfer, step }: SnapshotMessage): string {
  switch (step.kind) {
    case 'header': {
      const { term, description, sizeBytes } = step.offer;
      return `snapshot ${transfer} up to ${description.last.index}:${description.last.term}, ${sizeBytes} bytes, term ${term}`;
    }
    case 'chunk':
      return `snapshot ${transfer}: ${step.data.length} bytes from ${step.offset}`;
    case 'end':
      return `snapshot ${transfer} ends`;
    case 'taken':
      return `snapshot ${transfer}: taken so far`;
  }
}
