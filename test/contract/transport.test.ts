/** What every transport promises, checked on each of them. */
import type { MemberId } from '../../src/raft';
import { MemoryNetwork } from '../../src/transport/memory-transport';
import type { PeerMessage, Transport } from '../../src/transport/transport';
import { appendEntries, freePort, grpcTransport, Recorder } from '../support/transport';

interface Member {
  readonly id: MemberId;
  readonly transport: Transport;
  readonly recorder: Recorder;
}

/** Makes members 1 to 3 and lets their messages flow. */
interface Bench {
  member(id: MemberId): Member;
  /** Lets messages flow for a moment. */
  flow(): Promise<void>;
}

const ids = [1n, 2n, 3n];

function memoryBench(): Promise<Bench> {
  const network = new MemoryNetwork();
  return Promise.resolve({
    member: (id) => ({ id, transport: network.transport(id), recorder: new Recorder() }),
    flow: () => {
      network.deliverAll();
      return Promise.resolve();
    },
  });
}

async function grpcBench(): Promise<Bench> {
  const ports = new Map<MemberId, number>();
  for (const id of ids) ports.set(id, await freePort());
  const address = (id: MemberId): string => `127.0.0.1:${ports.get(id)}`;
  return {
    member: (id) => {
      const peers = ids.filter((other) => other !== id).map((other) => ({ id: other, address: address(other) }));
      return { id, transport: grpcTransport(id, address(id), peers), recorder: new Recorder() };
    },
    flow: () => new Promise((resolve) => setTimeout(resolve, 5)),
  };
}

describe.each([
  ['memory', memoryBench],
  ['gRPC', grpcBench],
])('transport: %s', (_name, makeBench) => {
  let bench: Bench;
  let running: Member[] = [];

  beforeEach(async () => {
    bench = await makeBench();
  });

  afterEach(async () => {
    await Promise.all(running.map(({ transport }) => transport.stop()));
    running = [];
  });

  async function start(id: MemberId): Promise<Member> {
    const member = bench.member(id);
    running.push(member);
    await member.transport.start(member.recorder);
    return member;
  }

  async function stop(member: Member): Promise<void> {
    running = running.filter((other) => other !== member);
    await member.transport.stop();
  }

  /** Lets messages flow until `condition` holds, and sends meanwhile if `send` is given. */
  async function flowUntil(condition: () => boolean, send: () => void = () => undefined): Promise<void> {
    for (let round = 0; round < 2000; round++) {
      if (condition()) return;
      send();
      await bench.flow();
    }
    throw new Error('the condition never held');
  }

  /** Two members that have reached each other. */
  async function startConnectedPair(): Promise<[Member, Member]> {
    const [first, second] = [await start(1n), await start(2n)];
    for (const [from, to] of [
      [first, second],
      [second, first],
    ] as const) {
      await flowUntil(
        () => to.recorder.received.length > 0,
        () => from.transport.send(to.id, appendEntries(0)),
      );
    }
    for (let round = 0; round < 5; round++) await bench.flow();
    for (const { recorder } of [first, second]) recorder.received.length = 0;
    return [first, second];
  }

  const questions: PeerMessage[] = [
    appendEntries(0, 3),
    appendEntries(7),
    { kind: 'request-vote', term: 4, lastLogIndex: 9, lastLogTerm: 3, preVote: false, leadershipTransfer: true },
    { kind: 'timeout-now', term: 4 },
    { kind: 'forward-proposals', requestId: 1, term: 4, payloads: [Buffer.from('a'), Buffer.alloc(0)] },
    { kind: 'forward-read', requestId: 2 },
  ];

  it.each(questions.map((message) => [message.kind, message] as const))(
    'delivers %s with the id of its sender',
    async (_kind, message) => {
      const [first, second] = await startConnectedPair();
      expect(first.transport.send(2n, message)).toBe(true);
      await flowUntil(() => second.recorder.ofKind(message.kind).length > 0);
      expect(second.recorder.received).toContainEqual({ from: 1n, message });
    },
  );

  const answers: [PeerMessage, PeerMessage][] = [
    [appendEntries(2), { kind: 'append-entries-response', success: true, term: 1, matchIndex: 2, readRound: 5 }],
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
  ];

  it.each(answers.map(([question, answer]) => [question.kind, answer.kind, question, answer] as const))(
    'takes the answer of %s back: %s',
    async (_question, _answer, question, answer) => {
      const [first, second] = await startConnectedPair();
      second.recorder.onReceive = (from) => second.transport.send(from, answer);
      first.transport.send(2n, question);
      await flowUntil(() => first.recorder.ofKind(answer.kind).length > 0);
      expect(first.recorder.received).toContainEqual({ from: 2n, message: answer });
    },
  );

  it('keeps the order per pair and kind', async () => {
    const [first, second] = await startConnectedPair();
    const count = 400;
    for (let at = 0; at < count; at++) {
      first.transport.send(2n, appendEntries(at, 1, 100));
      first.transport.send(2n, { kind: 'forward-read', requestId: at });
    }
    const arrived = (): boolean =>
      second.recorder.ofKind('append-entries').length === count &&
      second.recorder.ofKind('forward-read').length === count;
    await flowUntil(arrived);
    const inOrder = Array.from({ length: count }, (_, at) => at);
    expect(second.recorder.ofKind('append-entries').map(({ prevLogIndex }) => prevLogIndex)).toEqual(inOrder);
    expect(second.recorder.ofKind('forward-read').map(({ requestId }) => requestId)).toEqual(inOrder);
  });

  it('does not deliver within send', async () => {
    const [first, second] = await startConnectedPair();
    for (const message of questions) first.transport.send(2n, message);
    first.transport.send(3n, appendEntries(0, 1));
    expect(second.recorder.received).toEqual([]);
    expect(first.recorder.unreachablePeers).not.toContain(3n);
  });

  it('tells that a peer which is not there is unreachable', async () => {
    const first = await start(1n);
    await flowUntil(
      () => first.recorder.unreachablePeers.includes(3n),
      () => first.transport.send(3n, appendEntries(0, 1)),
    );
    expect(first.recorder.received).toEqual([]);
  });

  it('tells that a peer which went away is unreachable, and reaches it when it is back', async () => {
    const [first, second] = await startConnectedPair();
    await stop(second);
    first.transport.send(2n, appendEntries(0, 1));
    await flowUntil(() => first.recorder.unreachablePeers.includes(2n));
    const again = await start(2n);
    await flowUntil(
      () => again.recorder.received.length > 0,
      () => first.transport.send(2n, appendEntries(4, 1)),
    );
    expect(again.recorder.received[0]).toEqual({ from: 1n, message: appendEntries(4, 1) });
  });

  it('delivers nothing after stop, and takes nothing', async () => {
    const [first, second] = await startConnectedPair();
    for (let at = 0; at < 50; at++) first.transport.send(2n, appendEntries(at, 1));
    await stop(second);
    const receivedBefore = second.recorder.received.length;
    await stop(first);
    expect(first.transport.send(2n, appendEntries(0))).toBe(false);
    await bench.flow();
    expect(second.recorder.received).toHaveLength(receivedBefore);
  });
});
