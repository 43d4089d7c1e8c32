/**
 * The wire form of AppendEntries, the one message whose cost shows: encoded once for all peers, and decoded without an
 * intermediate object or a copy per entry (the generated decoder takes three to six times as long for 64 entries).
 */
import { BinaryReader } from '@bufbuild/protobuf/wire';
import { assert, required } from '../base/assert';
import { AppendEntriesRequest, EntryKind as WireEntryKind } from '../gen/quorate/peer/v1/raft';
import type { AppendEntries, Entry, EntryKind, MemberId } from '../raft';
import { checkField, decodeOrRefuse, encodeWire, refuseField, toSafeInteger, type CodecLimits } from './wire';

const emptyPayload = Buffer.alloc(0);

/** Encodes what one leader sends. Keeps the latest message with entries, since its peers mostly get equal ones in turn. */
export class AppendEntriesEncoder {
  readonly #leaderId: MemberId;
  #lastMessage: AppendEntries | undefined;
  #lastBytes: Buffer = emptyPayload;

  constructor(leaderId: MemberId) {
    this.#leaderId = leaderId;
  }

  /** The bytes are shared between calls: nobody may change them. */
  encode(message: AppendEntries): Buffer {
    if (this.#lastMessage !== undefined && haveEqualWireForm(this.#lastMessage, message)) return this.#lastBytes;
    const bytes = encodeAppendEntries(message, this.#leaderId);
    if (message.entries.length > 0) {
      this.#lastMessage = message;
      this.#lastBytes = bytes;
    }
    return bytes;
  }
}

/**
 * Entries are never changed, and whatever replaces an entry of a log replaces all that follow it: so stretches of one
 * length that end in the same entry object are the same.
 */
function haveEqualWireForm(a: AppendEntries, b: AppendEntries): boolean {
  return (
    a.prevLogIndex === b.prevLogIndex &&
    a.entries.length === b.entries.length &&
    a.entries.at(-1) === b.entries.at(-1) &&
    a.leaderCommit === b.leaderCommit &&
    a.readRound === b.readRound &&
    a.term === b.term &&
    a.prevLogTerm === b.prevLogTerm
  );
}

function encodeAppendEntries(message: AppendEntries, leaderId: MemberId): Buffer {
  const { term, prevLogIndex, prevLogTerm, entries, leaderCommit, readRound } = message;
  assert((entries[0]?.index ?? prevLogIndex + 1) === prevLogIndex + 1, 'entries follow the one before them');
  assert((entries.at(-1)?.index ?? prevLogIndex) === prevLogIndex + entries.length, 'entries are consecutive');
  const wireEntries = entries.map((entry) => ({
    term: entry.term,
    kind: wireKinds[entry.kind],
    payload: entry.payload as Buffer,
  }));
  const wire = { term, leaderId, prevLogIndex, prevLogTerm, entries: wireEntries, leaderCommit, readRound };
  return encodeWire(AppendEntriesRequest, wire);
}

const wireKinds: Record<EntryKind, WireEntryKind> = {
  command: WireEntryKind.COMMAND,
  'no-op': WireEntryKind.NO_OP,
  configuration: WireEntryKind.CONFIGURATION,
};

const kinds: readonly (EntryKind | undefined)[] = [undefined, 'command', 'no-op', 'configuration'];

/** An entry while it is being read: its index follows from where it stands. */
type DraftEntry = { -readonly [Field in keyof Entry]: Entry[Field] };

/** The message while it is being read. */
interface Draft {
  term: number;
  leaderId: bigint;
  prevLogIndex: number;
  prevLogTerm: number;
  leaderCommit: number;
  readRound: number;
  readonly entries: DraftEntry[];
}

/**
 * Reads and checks an AppendEntries. Payloads are views of `bytes`.
 *
 * @throws QuorateError `invalid-argument`
 */
export function decodeAppendEntries(bytes: Uint8Array, from: MemberId, limits: CodecLimits): AppendEntries {
  const draft = decodeOrRefuse(() => readRequest(new BinaryReader(bytes), limits));
  if (draft.leaderId !== from) refuseField('leader_id', `${from}, the sender`, draft.leaderId);
  checkField(draft.term >= 1, 'term', 'at least 1', draft.term);
  checkField(draft.prevLogTerm <= draft.term, 'prev_log_term', 'at most term', draft.prevLogTerm);
  checkField(
    (draft.prevLogIndex === 0) === (draft.prevLogTerm === 0),
    'prev_log_term',
    '0 at index 0 only',
    draft.prevLogTerm,
  );
  const { term, prevLogIndex, prevLogTerm, entries, leaderCommit, readRound } = draft;
  placeEntries(draft);
  return { kind: 'append-entries', term, prevLogIndex, prevLogTerm, entries, leaderCommit, readRound };
}

function readRequest(reader: BinaryReader, limits: CodecLimits): Draft {
  const draft: Draft = {
    term: 0,
    leaderId: 0n,
    prevLogIndex: 0,
    prevLogTerm: 0,
    leaderCommit: 0,
    readRound: 0,
    entries: [],
  };
  while (reader.pos < reader.len) readField(reader, draft, limits);
  return draft;
}

/** One field, by its tag: (field number << 3) | wire type. */
function readField(reader: BinaryReader, draft: Draft, limits: CodecLimits): void {
  const start = reader.pos;
  const tag = reader.uint32();
  switch (tag) {
    case 0x08:
      draft.term = toSafeInteger(reader.uint64(), 'term');
      return;
    case 0x10:
      draft.leaderId = BigInt(reader.uint64());
      return;
    case 0x18:
      draft.prevLogIndex = toSafeInteger(reader.uint64(), 'prev_log_index');
      return;
    case 0x20:
      draft.prevLogTerm = toSafeInteger(reader.uint64(), 'prev_log_term');
      return;
    case 0x2a:
      draft.entries.push(readEntry(reader, limits));
      return;
    case 0x30:
      draft.leaderCommit = toSafeInteger(reader.uint64(), 'leader_commit');
      return;
    case 0x38:
      draft.readRound = toSafeInteger(reader.uint64(), 'read_round');
      return;
    default:
      skipUnknown(reader, start);
  }
}

function readEntry(reader: BinaryReader, limits: CodecLimits): DraftEntry {
  const end = reader.uint32() + reader.pos;
  checkField(end <= reader.len, 'entries', 'whole', 'cut off');
  let term = 0;
  let wireKind = 0;
  let payload: Uint8Array = emptyPayload;
  while (reader.pos < end) {
    const start = reader.pos;
    const tag = reader.uint32();
    if (tag === 0x08) term = toSafeInteger(reader.uint64(), 'entries.term');
    else if (tag === 0x10) wireKind = reader.int32();
    else if (tag === 0x1a) payload = reader.bytes();
    else skipUnknown(reader, start);
  }
  checkField(reader.pos === end, 'entries', 'of the length they state', 'longer');
  const kind = kinds[wireKind];
  checkField(kind !== undefined, 'entries.kind', 'known', wireKind);
  if (payload.length > limits.maxEntryBytes) {
    refuseField('entries.payload', `at most ${limits.maxEntryBytes} bytes`, payload.length);
  }
  checkField(kind !== 'no-op' || payload.length === 0, 'entries.payload', 'empty in a no-op', payload.length);
  return { index: 0, term, kind, payload };
}

/** Fields of newer versions mean nothing here. */
function skipUnknown(reader: BinaryReader, start: number): void {
  reader.pos = start;
  const [field, wireType] = reader.tag();
  reader.skip(wireType, field);
}

/** Gives the entries their indexes: consecutive by their place. Terms may only rise, up to the leader's (§5.3). */
function placeEntries(draft: Draft): void {
  const { entries, prevLogIndex, term } = draft;
  checkField(
    prevLogIndex + entries.length <= Number.MAX_SAFE_INTEGER,
    'prev_log_index',
    'a safe integer',
    prevLogIndex,
  );
  let lowest = Math.max(1, draft.prevLogTerm);
  for (let at = 0; at < entries.length; at++) {
    const entry = required(entries[at], 'a place below the length holds an entry');
    if (entry.term < lowest || entry.term > term) refuseField('entries.term', `in ${lowest} to ${term}`, entry.term);
    lowest = entry.term;
    entry.index = prevLogIndex + 1 + at;
  }
}
