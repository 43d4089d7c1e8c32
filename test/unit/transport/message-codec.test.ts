/** The codecs of peer messages: what goes in comes out, and nothing malformed does. */
import fc from 'fast-check';
import { QuorateError } from '../../../src/base/error';
import { AppendEntriesRequest } from '../../../src/gen/quorate/peer/v1/raft';
import type { AppendEntries, AppendEntriesResponse, Entry, RequestVote, RequestVoteResponse } from '../../../src/raft';
import { AppendEntriesEncoder, decodeAppendEntries } from '../../../src/transport/append-entries-codec';
import * as codec from '../../../src/transport/message-codec';
import type { ForwardAnswer, ForwardQuestion } from '../../../src/transport/message-codec';
import { appendEntries } from '../../support/transport';

const limits = { maxEntryBytes: 4096 };
const leaderId = 0xffff_ffff_ffff_fffen;

const index = fc.oneof(fc.nat(300), fc.integer({ min: 0, max: 2 ** 52 }));
const term = fc.oneof(fc.integer({ min: 1, max: 200 }), fc.integer({ min: 1, max: 2 ** 53 - 1 }));
const counter = fc.integer({ min: 0, max: 2 ** 53 - 1 });
const bytes = fc.uint8Array({ maxLength: 400 });

/** An entry without its place. */
const content = fc.oneof(
  fc.record({ kind: fc.constantFrom('command' as const, 'configuration' as const), payload: bytes }),
  fc.constant({ kind: 'no-op' as const, payload: new Uint8Array(0) }),
);

const appendEntriesMessage: fc.Arbitrary<AppendEntries> = fc
  .record({
    prevLogIndex: index,
    terms: fc.array(term, { minLength: 2, maxLength: 12 }),
    contents: fc.array(content, { maxLength: 10 }),
    leaderCommit: counter,
    readRound: counter,
  })
  .map(({ prevLogIndex, terms, contents, leaderCommit, readRound }) => {
    const rising = terms.sort((a, b) => a - b);
    const entryTerm = (at: number): number => rising[Math.min(at, rising.length - 1)] ?? 1;
    const entries: Entry[] = contents.map((one, at) => ({ ...one, index: prevLogIndex + 1 + at, term: entryTerm(at) }));
    return {
      kind: 'append-entries',
      term: rising.at(-1) ?? 1,
      prevLogIndex,
      prevLogTerm: prevLogIndex === 0 ? 0 : entryTerm(0),
      entries,
      leaderCommit,
      readRound,
    };
  });

/** Term and index 0 go together. */
const logEnd = fc.oneof(
  fc.constant({ lastLogIndex: 0, lastLogTerm: 0 }),
  fc.record({ lastLogIndex: index.filter((at) => at > 0), lastLogTerm: term }),
);

const requestVote: fc.Arbitrary<RequestVote> = fc
  .record({ end: logEnd, more: fc.nat(1000), preVote: fc.boolean(), leadershipTransfer: fc.boolean() })
  .map(({ end, more, ...rest }) => ({
    kind: 'request-vote',
    term: Math.min(end.lastLogTerm + more + 1, Number.MAX_SAFE_INTEGER),
    ...end,
    ...rest,
  }));

const success: fc.Arbitrary<AppendEntriesResponse> = fc
  .record({ term, matchIndex: index, readRound: counter, followsClosely: fc.boolean() })
  .map((fields) => ({ kind: 'append-entries-response', success: true, ...fields }));

const rejection: fc.Arbitrary<AppendEntriesResponse> = fc
  .record({ term, hintIndex: index, above: fc.nat(100), readRound: counter })
  .map(({ term: own, hintIndex, above, readRound }) => ({
    kind: 'append-entries-response',
    success: false,
    term: own,
    rejectedIndex: hintIndex + above,
    hintIndex,
    hintTerm: hintIndex === 0 ? 0 : own,
    readRound,
  }));

const vote: fc.Arbitrary<RequestVoteResponse> = fc
  .record({ term, voteGranted: fc.boolean(), preVote: fc.boolean() })
  .map((fields) => ({ kind: 'request-vote-response', ...fields }));

const question: fc.Arbitrary<ForwardQuestion> = fc.oneof(
  counter.map((requestId) => ({ kind: 'forward-read' as const, requestId })),
  fc
    .record({ requestId: counter, term, payloads: fc.array(bytes, { minLength: 1, maxLength: 8 }) })
    .map((fields) => ({ kind: 'forward-proposals' as const, ...fields })),
  fc.record({ requestId: counter, payload: bytes }).map((fields) => ({ kind: 'forward-change' as const, ...fields })),
);

const answer: fc.Arbitrary<ForwardAnswer> = fc.oneof(
  fc
    .record({ requestId: counter, readIndex: index })
    .map((fields) => ({ kind: 'forward-read-index' as const, ...fields })),
  fc
    .record({ requestId: counter, payload: bytes })
    .map((fields) => ({ kind: 'forward-change-result' as const, ...fields })),
  fc
    .record({ requestId: counter, reason: fc.constantFrom('not-leader' as const, 'overloaded' as const) })
    .map((fields) => ({ kind: 'forward-refused' as const, ...fields })),
);

function decode(encoded: Uint8Array): AppendEntries {
  return decodeAppendEntries(encoded, leaderId, limits);
}

describe('round trip', () => {
  it('of AppendEntries', () => {
    const encoder = new AppendEntriesEncoder(leaderId);
    fc.assert(
      fc.property(appendEntriesMessage, (message) => {
        expect(decode(encoder.encode(message))).toEqual(message);
      }),
      { numRuns: 500 },
    );
  });

  it('of AppendEntries, read as the generated decoder reads it', () => {
    const encoder = new AppendEntriesEncoder(leaderId);
    fc.assert(
      fc.property(appendEntriesMessage, (message) => {
        const wire = AppendEntriesRequest.decode(encoder.encode(message));
        const { entries, kind: _kind, ...scalars } = message;
        expect(wire).toMatchObject({ ...scalars, leaderId });
        expect(wire.entries.map(({ payload }) => payload)).toEqual(entries.map(({ payload }) => Buffer.from(payload)));
        expect(wire.entries.map((entry) => entry.term)).toEqual(entries.map((entry) => entry.term));
      }),
      { numRuns: 200 },
    );
  });

  it.each<[string, fc.Arbitrary<unknown>, (message: never) => Buffer, (encoded: Buffer) => unknown]>([
    [
      'AppendEntries responses',
      fc.oneof(success, rejection),
      codec.encodeAppendEntriesResponse,
      codec.decodeAppendEntriesResponse,
    ],
    [
      'RequestVote',
      requestVote,
      (message) => codec.encodeRequestVote(message, leaderId),
      (encoded) => codec.decodeRequestVote(encoded, leaderId),
    ],
    ['RequestVote responses', vote, codec.encodeRequestVoteResponse, codec.decodeRequestVoteResponse],
    [
      'TimeoutNow',
      term.map((own) => ({ kind: 'timeout-now', term: own })),
      codec.encodeTimeoutNow,
      codec.decodeTimeoutNow,
    ],
    [
      'forwarded questions',
      question,
      codec.encodeForwardQuestion,
      (encoded) => codec.decodeForwardQuestion(encoded, limits),
    ],
    ['forwarded answers', answer, codec.encodeForwardAnswer, codec.decodeForwardAnswer],
  ])('of %s', (_name, messages, encode, decodeOne) => {
    fc.assert(
      fc.property(messages, (message) => {
        expect(decodeOne(encode(message as never))).toEqual(message);
      }),
      { numRuns: 300 },
    );
  });
});

describe('bytes off the wire', () => {
  const decoders: [string, (encoded: Uint8Array) => unknown][] = [
    ['AppendEntries', decode],
    ['AppendEntries responses', codec.decodeAppendEntriesResponse],
    ['RequestVote', (encoded) => codec.decodeRequestVote(encoded, leaderId)],
    ['RequestVote responses', codec.decodeRequestVoteResponse],
    ['TimeoutNow', codec.decodeTimeoutNow],
    ['forwarded questions', (encoded) => codec.decodeForwardQuestion(encoded, limits)],
    ['forwarded answers', codec.decodeForwardAnswer],
  ];

  /** What happened: a message, or the code of the refusal. Anything else is thrown on. */
  function outcome(decodeOne: (encoded: Uint8Array) => unknown, encoded: Uint8Array): unknown {
    try {
      return decodeOne(encoded);
    } catch (error) {
      if (error instanceof QuorateError) return error.code;
      throw error;
    }
  }

  it.each(decoders)('%s: any bytes give a message or a refusal', (_name, decodeOne) => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (encoded) => {
        const result = outcome(decodeOne, encoded);
        if (typeof result === 'string') expect(result).toBe('invalid-argument');
      }),
      { numRuns: 1000 },
    );
  });

  it('AppendEntries with some bytes changed gives a message that is right in itself, or a refusal', () => {
    const encoder = new AppendEntriesEncoder(leaderId);
    let accepted = 0;
    fc.assert(
      fc.property(appendEntriesMessage, fc.nat(), fc.nat(255), (message, place, value) => {
        const damaged = Buffer.from(encoder.encode(message));
        damaged[place % damaged.length] = value;
        const result = outcome(decode, damaged);
        if (typeof result === 'string') return;
        accepted++;
        expectRightInItself(result as AppendEntries);
      }),
      { numRuns: 2000 },
    );
    expect(accepted).toBeGreaterThan(100);
  });

  it('AppendEntries cut off anywhere is refused, or has lost whole fields only', () => {
    const encoded = new AppendEntriesEncoder(leaderId).encode({ ...appendEntries(5, 3), leaderCommit: 2 });
    for (let length = 0; length < encoded.length; length++) {
      const result = outcome(decode, encoded.subarray(0, length));
      if (typeof result !== 'string') expectRightInItself(result as AppendEntries);
    }
  });

  function expectRightInItself(message: AppendEntries): void {
    let { prevLogTerm: lowest } = message;
    for (const [at, entry] of message.entries.entries()) {
      expect(entry.index).toBe(message.prevLogIndex + 1 + at);
      expect(Number.isSafeInteger(entry.index)).toBe(true);
      expect(entry.term).toBeGreaterThanOrEqual(Math.max(1, lowest));
      expect(entry.payload.length).toBeLessThanOrEqual(limits.maxEntryBytes);
      lowest = entry.term;
    }
    expect(message.term).toBeGreaterThanOrEqual(Math.max(1, lowest));
    for (const number of [message.term, message.prevLogIndex, message.leaderCommit, message.readRound]) {
      expect(Number.isSafeInteger(number)).toBe(true);
    }
  }

  it('tells which field is wrong', () => {
    const good = appendEntries(5, 2);
    const bad = { ...good, term: 3, leaderId, entries: good.entries.map((entry) => ({ ...entry, kind: 1, term: 4 })) };
    const encoded = AppendEntriesRequest.encode(bad as never).finish();
    expect(() => decode(encoded)).toThrow('entries.term must be in 1 to 3, not 4');
  });

  it('refuses an entry whose content runs past its end', () => {
    const inner = Buffer.from('08011001' + '1a03616263', 'hex');
    const head = AppendEntriesRequest.encode({ ...appendEntries(5), leaderId, entries: [] }).finish();
    const entry = (length: number): Buffer => Buffer.concat([head, Buffer.from([0x2a, length]), inner]);
    expect(decode(entry(inner.length)).entries).toHaveLength(1);
    expect(() => decode(entry(inner.length - 1))).toThrow('entries must be of the length they state');
    expect(() => decode(entry(inner.length + 1))).toThrow('entries must be whole');
  });

  it('skips fields it does not know', () => {
    const encoded = new AppendEntriesEncoder(leaderId).encode(appendEntries(5, 2));
    const unknown = Buffer.from('f20703616263' + '800801', 'hex');
    expect(decode(Buffer.concat([encoded, unknown]))).toEqual(appendEntries(5, 2));
  });
});

describe('AppendEntriesEncoder', () => {
  it('encodes equal messages to several peers once', () => {
    const encoder = new AppendEntriesEncoder(leaderId);
    const message = appendEntries(5, 3);
    const first = encoder.encode(message);
    expect(encoder.encode({ ...message, entries: [...message.entries] })).toBe(first);
    encoder.encode(appendEntries(8));
    expect(encoder.encode(message)).toBe(first);
  });

  it.each<[string, Partial<AppendEntries>]>([
    ['term', { term: 2 }],
    ['commit index', { leaderCommit: 1 }],
    ['read round', { readRound: 1 }],
    ['length', { entries: appendEntries(5, 2).entries }],
    ['entries', { entries: appendEntries(5, 3).entries }],
  ])('does not mix up messages of another %s', (_what, change) => {
    const encoder = new AppendEntriesEncoder(leaderId);
    const message = appendEntries(5, 3);
    encoder.encode(message);
    const other = { ...message, ...change };
    expect(decode(encoder.encode(other))).toEqual(other);
  });

  it('does not mix up stretches that share entries', () => {
    const encoder = new AppendEntriesEncoder(leaderId);
    const { entries } = appendEntries(5, 6);
    const from = (first: number): AppendEntries => ({ ...appendEntries(5 + first), entries: entries.slice(first, 5) });
    for (const first of [0, 1, 2, 1, 0]) expect(decode(encoder.encode(from(first)))).toEqual(from(first));
  });

  it('does not mix up a stretch with the one that replaced its end', () => {
    const encoder = new AppendEntriesEncoder(leaderId);
    const before = appendEntries(5, 3);
    const [kept] = before.entries;
    const after = { ...before, entries: [kept, ...appendEntries(6, 2, 20).entries] as Entry[] };
    encoder.encode(before);
    expect(decode(encoder.encode(after))).toEqual(after);
  });
});
