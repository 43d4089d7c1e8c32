/** The first bytes of every command entry: who proposed it, so that the proposer finds its caller when it is applied. */
import { assert } from '../base/assert';
import type { MemberId } from '../raft';

/** Names one proposal among all that any member ever makes. */
export interface ProposalId {
  readonly origin: MemberId;
  /** Unique among the proposals of `origin`, also across its restarts: counted from a random start. */
  readonly number: number;
}

/** Length of the prefix, bytes: 8 for the origin, 8 for the number, both big endian. */
const prefixBytes = 16;

/** Puts the name before the command. */
export function encodeProposal(id: ProposalId, command: Uint8Array): Uint8Array {
  assert(Number.isSafeInteger(id.number) && id.number >= 0, 'a proposal number is a safe integer');
  const payload = new Uint8Array(prefixBytes + command.length);
  const view = new DataView(payload.buffer);
  view.setBigUint64(0, id.origin);
  view.setUint32(8, Math.floor(id.number / 2 ** 32));
  view.setUint32(12, id.number >>> 0);
  payload.set(command, prefixBytes);
  return payload;
}

/** True if the payload can be a proposal; a forwarded one is checked before it enters the log. */
export function isProposal(payload: Uint8Array): boolean {
  return payload.length >= prefixBytes && payload[8] === 0 && (payload[9] ?? 0) < 0x20;
}

export function decodeProposalId(payload: Uint8Array): ProposalId {
  assert(isProposal(payload), 'a command entry names its proposal');
  const view = new DataView(payload.buffer, payload.byteOffset, prefixBytes);
  return { origin: view.getBigUint64(0), number: view.getUint32(8) * 2 ** 32 + view.getUint32(12) };
}

/** The command itself, without a copy. */
export function commandOf(payload: Uint8Array): Uint8Array {
  return payload.subarray(prefixBytes);
}
