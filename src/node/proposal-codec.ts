/** The first bytes of every command entry: who proposed it, so that the proposer finds its callers when it is applied. */
import { assert } from '../base/assert';
import type { MemberId } from '../raft';

/** Names one entry among all that any member ever proposes. */
export interface ProposalId {
  readonly origin: MemberId;
  /**
   * Unique among the entries that `origin` proposes, also across its restarts: counted from a random start. What surely
   * is in no log that counts may be proposed again under its number.
   */
  readonly number: number;
}

/** Bytes before the command: 8 for the origin, 8 for the number, both big endian. */
export const proposalOverheadBytes = 16;

/** Puts the name before the command. */
export function encodeProposal(id: ProposalId, command: Uint8Array): Uint8Array {
  assert(Number.isSafeInteger(id.number) && id.number >= 0, 'a proposal number is a safe integer');
  const payload = new Uint8Array(proposalOverheadBytes + command.length);
  const view = new DataView(payload.buffer);
  view.setBigUint64(0, id.origin);
  view.setUint32(8, Math.floor(id.number / 2 ** 32));
  view.setUint32(12, id.number >>> 0);
  payload.set(command, proposalOverheadBytes);
  return payload;
}

/** True if the payload can be a proposal; a forwarded one is checked before it enters the log. */
export function isProposal(payload: Uint8Array): boolean {
  return payload.length >= proposalOverheadBytes && payload[8] === 0 && (payload[9] ?? 0) < 0x20;
}

export function decodeProposalId(payload: Uint8Array): ProposalId {
  assert(isProposal(payload), 'a command entry names its proposal');
  const view = new DataView(payload.buffer, payload.byteOffset, proposalOverheadBytes);
  return { origin: view.getBigUint64(0), number: view.getUint32(8) * 2 ** 32 + view.getUint32(12) };
}

/** The command itself, without a copy. */
export function commandOf(payload: Uint8Array): Uint8Array {
  return payload.subarray(proposalOverheadBytes);
}
