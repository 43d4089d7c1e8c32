/** The header of the answers of the etcd API: who answered, and at which revision. */
import { ResponseHeader } from '../../gen/etcd/etcdserverpb/header';
import { type ByteWriter, varintLength } from '../../kv/byte-writer';
import type { MemberId } from '../../raft';

/** What a member says of itself in every header. */
export interface HeaderFacts {
  readonly clusterId: bigint;
  readonly memberId: MemberId;
  /** The member's Raft term now. Every answer asks: it must cost nothing. */
  term(): number;
}

/**
 * The header of this member's answer.
 *
 * @param revision of a write, the one it made; of a read, the newest at the time of reading; 0 where etcd tells none
 */
export function headerOf(facts: HeaderFacts, revision: number): ResponseHeader {
  const { clusterId, memberId } = facts;
  return { clusterId, memberId, revision: BigInt(revision), raftTerm: BigInt(facts.term()) };
}

/** The first byte of a field: its number, and whether a number or a length and bytes follow. */
const tags = { header: (1 << 3) | 2, revision: 3 << 3, raftTerm: 4 << 3 } as const;

/** The headers of a member's answers as bytes: what never changes is encoded once. */
export class HeaderBytes {
  readonly #facts: HeaderFacts;
  readonly #ids: Uint8Array;

  constructor(facts: HeaderFacts) {
    const { clusterId, memberId } = facts;
    this.#facts = facts;
    this.#ids = ResponseHeader.encode({ clusterId, memberId, revision: 0n, raftTerm: 0n }).finish();
  }

  /** Writes what `headerOf` gives, as the first field of an answer. */
  write(writer: ByteWriter, revision: number): void {
    const term = this.#facts.term();
    writer.byte(tags.header);
    writer.varint(this.#ids.length + lengthOf(revision) + lengthOf(term));
    writer.raw(this.#ids);
    writeNumber(writer, tags.revision, revision);
    writeNumber(writer, tags.raftTerm, term);
  }
}

/** Writes a field that holds a number; zero is left out, as everywhere in Protobuf. */
export function writeNumber(writer: ByteWriter, tag: number, value: number): void {
  if (value === 0) return;
  writer.byte(tag);
  writer.varint(value);
}

function lengthOf(value: number): number {
  return value === 0 ? 0 : 1 + varintLength(value);
}

/** The header of an answer within that of a transaction: etcd fills in nothing but the revision. */
export function innerHeader(revision: number): ResponseHeader {
  return { clusterId: 0n, memberId: 0n, revision: BigInt(revision), raftTerm: 0n };
}
