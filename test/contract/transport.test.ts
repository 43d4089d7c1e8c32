/** What every transport promises of messages, checked on each of them. */
import { maxForwardChangeBytes, type PeerMessage } from '../../src/transport/transport';
import { success } from '../support/raft';
import { appendEntries } from '../support/transport';
import { Bench, networks } from '../support/transport-bench';

describe.each(networks)('transport: %s', (_name, makeNetwork) => {
  let bench: Bench;

  beforeEach(async () => {
    bench = new Bench(await makeNetwork());
  });

  afterEach(async () => {
    await bench.stopAll();
  });

  const questions: PeerMessage[] = [
    appendEntries(0, 3),
    appendEntries(7),
    { kind: 'request-vote', term: 4, lastLogIndex: 9, lastLogTerm: 3, preVote: false, leadershipTransfer: true },
    { kind: 'timeout-now', term: 4 },
    { kind: 'forward-proposals', requestId: 1, term: 4, payloads: [Buffer.from('a'), Buffer.alloc(0)] },
    { kind: 'forward-read', requestId: 2 },
    { kind: 'forward-change', requestId: 3, payload: Buffer.alloc(maxForwardChangeBytes, 1) },
  ];

  it.each(questions.map((message) => [message.kind, message] as const))(
    'delivers %s with the id of its sender',
    async (_kind, message) => {
      const [first, second] = await bench.startConnectedPair();
      expect(first.transport.send(2n, message)).toBe(true);
      await bench.flowUntil(() => second.recorder.ofKind(message.kind).length > 0);
      expect(second.recorder.received).toContainEqual({ from: 1n, message });
    },
  );

  const answers: [PeerMessage, PeerMessage][] = [
    [appendEntries(2), success({ term: 1, matchIndex: 2, readRound: 5, followsClosely: true })],
    [
      appendEntries(9),
      {
        kind: 'append-entries-response',
        success: false,
        term: 2,
        rejectedIndex: 9,
        hintIndex: 3,
        hintTerm: 1,
        readRound: 0,
      },
    ],
    [
      { kind: 'request-vote', term: 4, lastLogIndex: 9, lastLogTerm: 3, preVote: false, leadershipTransfer: false },
      { kind: 'request-vote-response', term: 4, voteGranted: true, preVote: false },
    ],
    [
      { kind: 'request-vote', term: 4, lastLogIndex: 9, lastLogTerm: 3, preVote: true, leadershipTransfer: false },
      { kind: 'request-vote-response', term: 3, voteGranted: false, preVote: true },
    ],
    [
      { kind: 'forward-read', requestId: 8 },
      { kind: 'forward-read-index', requestId: 8, readIndex: 77 },
    ],
    [
      { kind: 'forward-proposals', requestId: 9, term: 1, payloads: [Buffer.from('x')] },
      { kind: 'forward-refused', requestId: 9, reason: 'not-leader' },
    ],
    [
      { kind: 'forward-change', requestId: 10, payload: Buffer.from('add 4') },
      { kind: 'forward-change-result', requestId: 10, payload: Buffer.alloc(maxForwardChangeBytes, 2) },
    ],
  ];

  it.each(answers.map(([question, answer]) => [question.kind, answer.kind, question, answer] as const))(
    'takes the answer of %s back: %s',
    async (_question, _answer, question, answer) => {
      const [first, second] = await bench.startConnectedPair();
      second.recorder.onReceive = (from) => second.transport.send(from, answer);
      first.transport.send(2n, question);
      await bench.flowUntil(() => first.recorder.ofKind(answer.kind).length > 0);
      expect(first.recorder.received).toContainEqual({ from: 2n, message: answer });
    },
  );

  it('keeps the order per pair and kind', async () => {
    const [first, second] = await bench.startConnectedPair();
    const count = 400;
    for (let at = 0; at < count; at++) {
      first.transport.send(2n, appendEntries(at, 1, 100));
      first.transport.send(2n, { kind: 'forward-read', requestId: at });
    }
    const arrived = (): boolean =>
      second.recorder.ofKind('append-entries').length === count &&
      second.recorder.ofKind('forward-read').length === count;
    await bench.flowUntil(arrived);
    const inOrder = Array.from({ length: count }, (_, at) => at);
    expect(second.recorder.ofKind('append-entries').map(({ prevLogIndex }) => prevLogIndex)).toEqual(inOrder);
    expect(second.recorder.ofKind('forward-read').map(({ requestId }) => requestId)).toEqual(inOrder);
  });

  it('drops a forwarded change, and a result, that are too large', async () => {
    const [first, second] = await bench.startConnectedPair();
    const payload = Buffer.alloc(maxForwardChangeBytes + 1);
    expect(first.transport.send(2n, { kind: 'forward-change', requestId: 1, payload })).toBe(false);
    expect(first.transport.send(2n, { kind: 'forward-change', requestId: 2, payload: Buffer.alloc(1) })).toBe(true);
    await bench.flowUntil(() => second.recorder.received.length > 0);
    expect(second.transport.send(1n, { kind: 'forward-change-result', requestId: 2, payload })).toBe(false);
    await bench.flow();
    expect(second.recorder.received).toHaveLength(1);
    expect(first.recorder.received).toEqual([]);
  });

  it('does not deliver within send', async () => {
    const [first, second] = await bench.startConnectedPair();
    for (const message of questions) first.transport.send(2n, message);
    first.transport.send(3n, appendEntries(0, 1));
    expect(second.recorder.received).toEqual([]);
    expect(first.recorder.unreachablePeers).not.toContain(3n);
  });

  it('tells that a peer which is not there is unreachable', async () => {
    const first = await bench.start(1n);
    await bench.flowUntil(
      () => first.recorder.unreachablePeers.includes(3n),
      () => first.transport.send(3n, appendEntries(0, 1)),
    );
    expect(first.recorder.received).toEqual([]);
  });

  it('tells that a peer which went away is unreachable, and reaches it when it is back', async () => {
    const [first, second] = await bench.startConnectedPair();
    await bench.stop(second);
    first.transport.send(2n, appendEntries(0, 1));
    await bench.flowUntil(() => first.recorder.unreachablePeers.includes(2n));
    const again = await bench.start(2n);
    await bench.flowUntil(
      () => again.recorder.received.length > 0,
      () => first.transport.send(2n, appendEntries(4, 1)),
    );
    expect(again.recorder.received[0]).toEqual({ from: 1n, message: appendEntries(4, 1) });
  });

  it('tells that a peer which was reached is gone once nobody listens there, every time', async () => {
    const [first, second] = await bench.startConnectedPair();
    await bench.stop(second);
    const say = (): boolean => first.transport.send(2n, appendEntries(0, 1));
    await bench.flowUntil(() => first.recorder.gonePeers.length === 1, say);
    const again = await bench.start(2n);
    await bench.flowUntil(() => again.recorder.received.length > 0, say);
    // Until its answers to the call have come back, too.
    await bench.flow(20);
    await bench.stop(again);
    await bench.flowUntil(() => first.recorder.gonePeers.length === 2, say);
    expect(first.recorder.gonePeers).toEqual([2n, 2n]);
  });

  it('tells that a peer is reached, every time, and of none that is not there', async () => {
    const [first, second] = await bench.startConnectedPair();
    expect(first.recorder.reachedPeers).toEqual([2n]);
    const say = (): boolean => first.transport.send(2n, appendEntries(0, 1));
    await bench.stop(second);
    await bench.flowUntil(() => first.recorder.gonePeers.length === 1, say);
    await bench.start(2n);
    await bench.flowUntil(() => first.recorder.reachedPeers.length === 2, say);
    expect(first.recorder.reachedPeers).toEqual([2n, 2n]);
  });

  it('does not call a peer gone that was never reached', async () => {
    const first = await bench.start(1n);
    await bench.flowUntil(
      () => first.recorder.unreachablePeers.includes(3n),
      () => first.transport.send(3n, appendEntries(0, 1)),
    );
    expect(first.recorder.gonePeers).toEqual([]);
  });

  it('delivers nothing after stop, and takes nothing', async () => {
    const [first, second] = await bench.startConnectedPair();
    for (let at = 0; at < 50; at++) first.transport.send(2n, appendEntries(at, 1));
    await bench.stop(second);
    const receivedBefore = second.recorder.received.length;
    await bench.stop(first);
    expect(first.transport.send(2n, appendEntries(0))).toBe(false);
    await bench.flow(1);
    expect(second.recorder.received).toHaveLength(receivedBefore);
  });
});
