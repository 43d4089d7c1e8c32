/** Garbage on the peer listener: an error each time, no crash, and nothing of it reaches the handler. */
import { connect as connectHttp2, constants } from 'node:http2';
import { connect as connectTcp } from 'node:net';
import { status, type Metadata } from '@grpc/grpc-js';
import { seededRng, type Rng } from '../../src/base/rng';
import { ForwardRequest } from '../../src/gen/quorate/peer/v1/forward';
import {
  AppendEntriesRequest,
  InstallSnapshotRequest,
  RequestVoteRequest,
  TimeoutNowRequest,
  type SnapshotHeader,
} from '../../src/gen/quorate/peer/v1/raft';
import type { GrpcTransport } from '../../src/transport/grpc-transport';
import { maxMessageBytes } from '../../src/transport/grpc-transport-options';
import { encodeSnapshotChunk, encodeSnapshotHeader } from '../../src/transport/snapshot-codec';
import { maxForwardChangeBytes } from '../../src/transport/transport';
import { allPaths, metadataOf, PeerCaller, snapshotPath, streamPaths, unaryPaths } from '../support/peer-caller';
import { snapshotOf, violations } from '../support/snapshots';
import { freePort } from '../support/free-ports';
import { clusterId, grpcTransport, Recorder, testTuning, until } from '../support/transport';

const identity = { 'quorate-cluster-id': String(clusterId), 'quorate-from': '1', 'quorate-to': '2' };
const smallTuning = { maxAppendBytes: 64 * 1024, maxEntryBytes: 64 * 1024 };

let transport: GrpcTransport;
let recorder: Recorder;
let caller: PeerCaller;
let port: number;

beforeEach(async () => {
  recorder = new Recorder();
  const peers = [{ id: 1n, address: `127.0.0.1:${await freePort()}` }];
  transport = grpcTransport(2n, '127.0.0.1:0', peers, { tuning: smallTuning });
  await transport.start(recorder);
  port = transport.boundPort ?? 0;
  caller = new PeerCaller(`127.0.0.1:${port}`);
});

afterEach(async () => {
  try {
    await expectStillServing();
  } finally {
    caller.close();
    await transport.stop();
  }
});

/** A real member still gets through, with exactly one message. */
async function expectStillServing(): Promise<void> {
  expect(recorder.received).toEqual([]);
  const fresh = new PeerCaller(`127.0.0.1:${port}`);
  const bytes = Buffer.from(TimeoutNowRequest.encode({ term: 7 }).finish());
  const outcome = await fresh.call('/quorate.peer.v1.RaftService/TimeoutNow', bytes, members());
  fresh.close();
  expect(outcome.code).toBe(status.OK);
  expect(recorder.received).toEqual([{ from: 1n, message: { kind: 'timeout-now', term: 7 } }]);
}

function members(): Metadata {
  return metadataOf(identity);
}

function randomBytes(rng: Rng, length: number): Buffer {
  return Buffer.from(Array.from({ length }, () => rng.nextUint32() & 0xff));
}

describe('random payloads', () => {
  it.each(allPaths)('%s refuses them with INVALID_ARGUMENT', async (path) => {
    const rng = seededRng(17);
    for (let run = 0; run < 150; run++) {
      const { code } = await caller.call(path, randomBytes(rng, 8 + (rng.nextUint32() % 200)), members());
      expect(status[code]).toBe('INVALID_ARGUMENT');
    }
  });

  it.each(allPaths)('%s refuses an empty message with INVALID_ARGUMENT', async (path) => {
    const { code } = await caller.call(path, Buffer.alloc(0), members());
    expect(status[code]).toBe('INVALID_ARGUMENT');
  });
});

describe('well-formed messages that no member sends', () => {
  const entry = { term: 1, kind: 1, payload: Buffer.from('x') } as const;
  const append = {
    term: 2,
    leaderId: 1n,
    prevLogIndex: 5,
    prevLogTerm: 1,
    entries: [entry],
    leaderCommit: 0,
    readRound: 0,
  };
  const vote = { term: 2, candidateId: 1n, lastLogIndex: 5, lastLogTerm: 1, preVote: false, leadershipTransfer: false };
  const [votePath = '', timeoutPath = ''] = unaryPaths;
  const [appendPath = '', forwardPath = ''] = streamPaths;
  const proposals = (term: number, payloads: Buffer[]): Uint8Array =>
    ForwardRequest.encode({ requestId: 1, request: { $case: 'proposals', value: { term, payloads } } }).finish();

  const change = (payload: Buffer): Uint8Array =>
    ForwardRequest.encode({ requestId: 1, request: { $case: 'change', value: { payload } } }).finish();
  const encodePart = (part: InstallSnapshotRequest['part']): Buffer =>
    Buffer.from(InstallSnapshotRequest.encode({ part }).finish());

  it.each<[string, string, Uint8Array]>([
    ['another leader', appendPath, AppendEntriesRequest.encode({ ...append, leaderId: 9n }).finish()],
    ['no term', appendPath, AppendEntriesRequest.encode({ ...append, term: 0 }).finish()],
    ['a term before the first entry', appendPath, AppendEntriesRequest.encode({ ...append, prevLogIndex: 0 }).finish()],
    [
      'an entry above the term',
      appendPath,
      AppendEntriesRequest.encode({ ...append, entries: [{ ...entry, term: 3 }] }).finish(),
    ],
    [
      'an entry of an unknown kind',
      appendPath,
      AppendEntriesRequest.encode({ ...append, entries: [{ ...entry, kind: 7 as 1 }] }).finish(),
    ],
    [
      'an entry that is too large',
      appendPath,
      AppendEntriesRequest.encode({ ...append, entries: [{ ...entry, payload: Buffer.alloc(65537) }] }).finish(),
    ],
    ['an index beyond 2^53', appendPath, Buffer.from('08021001' + '18ffffffffffffff7f' + '2001', 'hex')],
    ['another candidate', votePath, RequestVoteRequest.encode({ ...vote, candidateId: 9n }).finish()],
    ['a last term above the term', votePath, RequestVoteRequest.encode({ ...vote, lastLogTerm: 3 }).finish()],
    ['no term', timeoutPath, TimeoutNowRequest.encode({ term: 0 }).finish()],
    ['no request', forwardPath, ForwardRequest.encode({ requestId: 1, request: undefined }).finish()],
    ['no proposals', forwardPath, proposals(1, [])],
    ['proposals without a term', forwardPath, proposals(0, [Buffer.from('x')])],
    ['a proposal that is too large', forwardPath, proposals(1, [Buffer.alloc(65537)])],
    ['a change that is too large', forwardPath, change(Buffer.alloc(maxForwardChangeBytes + 1))],
  ])('refuses %s on %s', async (_what, path, bytes) => {
    const { code } = await caller.call(path, Buffer.from(bytes), members());
    expect(status[code]).toBe('INVALID_ARGUMENT');
  });

  const { term, description, sizeBytes, sha256 } = snapshotOf(Buffer.from('0123456789'));
  const offer = { term, description, sizeBytes, sha256 };
  const goodHeader = encodeSnapshotHeader(offer, 1n);
  const header = (changes: Partial<SnapshotHeader>): Buffer => {
    const { part } = InstallSnapshotRequest.decode(goodHeader);
    if (part?.$case !== 'header') throw new Error('a header is encoded as one');
    return encodePart({ $case: 'header', value: { ...part.value, ...changes } });
  };
  const chunk = (offset: number, text: string): Buffer => encodeSnapshotChunk(offset, Buffer.from(text));
  const wrongCrc = encodePart({ $case: 'chunk', value: { offset: 0, data: Buffer.from('0123'), crc32: 4711 } });

  it.each<[string, Buffer[]]>([
    ['a chunk without a header', [chunk(0, '0123456789')]],
    ['another leader', [header({ leaderId: 9n })]],
    ['no size', [header({ sizeBytes: 0 })]],
    ['a hash of another length', [header({ sha256: Buffer.alloc(31) })]],
    ['a configuration that is none', [header({ configuration: Buffer.from('x') })]],
    ['a configuration after the snapshot', [header({ configurationIndex: 91 })]],
    ['no last index', [header({ lastIncludedIndex: 0 })]],
    ['a last term above the term', [header({ lastIncludedTerm: 8 })]],
    ['a part that is neither', [encodePart(undefined)]],
  ])('refuses a snapshot with %s, and asks nobody', async (_what, messages) => {
    const { code } = await caller.stream(snapshotPath, messages, members());
    expect(status[code]).toBe('INVALID_ARGUMENT');
    expect(recorder.offers).toEqual([]);
  });

  it.each<[string, Buffer[], string]>([
    ['a wrong checksum', [goodHeader, wrongCrc], ''],
    ['a gap', [goodHeader, chunk(0, '0123'), chunk(5, '56789')], '0123'],
    ['an overlap', [goodHeader, chunk(0, '0123'), chunk(3, '3456789')], '0123'],
    ['a chunk twice', [goodHeader, chunk(0, '0123'), chunk(0, '0123')], '0123'],
    ['a chunk of nothing', [goodHeader, chunk(0, '0123'), chunk(4, '')], '0123'],
    ['more than it announced', [goodHeader, chunk(0, '0123'), chunk(4, '456789+')], '0123'],
    ['more after the last byte', [goodHeader, chunk(0, '0123456789'), chunk(10, '+')], '0123456789'],
    ['less than it announced', [goodHeader, chunk(0, '0123')], '0123'],
    ['nothing but a header', [goodHeader], ''],
    ['a second header', [goodHeader, chunk(0, '0123'), goodHeader], '0123'],
    ['garbage in the middle', [goodHeader, chunk(0, '0123'), Buffer.from('ff', 'hex')], '0123'],
  ])('refuses a snapshot with %s, and aborts', async (_what, messages, written) => {
    const { code } = await caller.stream(snapshotPath, messages, members());
    expect(status[code]).toBe('INVALID_ARGUMENT');
    expect(recorder.sinks).toHaveLength(1);
    expect(recorder.sinks[0]?.end).toBe('abort');
    expect(recorder.sinks[0]?.bytes.toString()).toBe(written);
    expect(violations).toEqual([]);
  });

  it('takes the same snapshot when it is right', async () => {
    const messages = [goodHeader, chunk(0, '0123'), chunk(4, '456789')];
    const { code } = await caller.stream(snapshotPath, messages, members());
    expect(status[code]).toBe('OK');
    expect(recorder.sinks[0]?.end).toBe('finish');
    expect(recorder.offers).toEqual([{ from: 1n, offer }]);
  });

  it('looks at nothing that follows a malformed message on its stream', async () => {
    const good = Buffer.from(AppendEntriesRequest.encode(append).finish());
    const { code } = await caller.stream(appendPath, [Buffer.from('ff', 'hex'), good, good], members());
    expect(status[code]).toBe('INVALID_ARGUMENT');
  });
});

describe('strangers', () => {
  const valid = Buffer.from(TimeoutNowRequest.encode({ term: 1 }).finish());

  it.each(allPaths)('%s refuses another cluster, and names both', async (path) => {
    const outcome = await caller.call(path, valid, metadataOf({ ...identity, 'quorate-cluster-id': '42' }));
    expect(status[outcome.code]).toBe('FAILED_PRECONDITION');
    expect(outcome.details).toContain('cluster 42');
    expect(outcome.details).toContain(`cluster ${clusterId}`);
    expect(outcome.details).toContain('--cluster-name');
  });

  it.each<[string, Record<string, string>, string]>([
    ['no metadata', {}, 'client address'],
    ['a cluster id that is no number', { ...identity, 'quorate-cluster-id': 'x' }, 'client address'],
    ['a sender of 0', { ...identity, 'quorate-from': '0' }, 'client address'],
    ['a sender beyond 64 bits', { ...identity, 'quorate-from': '18446744073709551616' }, 'client address'],
    ['a negative sender', { ...identity, 'quorate-from': '-1' }, 'client address'],
    ['another receiver', { ...identity, 'quorate-to': '3' }, 'wanted to reach member 3, this is member 2'],
    ['itself', { ...identity, 'quorate-from': '2' }, 'same --name'],
  ])('are refused: %s', async (_what, values, reason) => {
    for (const path of allPaths) {
      const outcome = await caller.call(path, valid, metadataOf(values));
      expect(status[outcome.code]).toBe('FAILED_PRECONDITION');
      expect(outcome.details).toContain(reason);
    }
  });

  it('are not those of the cluster that this member does not know yet', async () => {
    const newcomer = metadataOf({ ...identity, 'quorate-from': '9' });
    const outcome = await caller.call(unaryPaths[1] ?? '', valid, newcomer);
    expect(status[outcome.code]).toBe('OK');
    expect(recorder.received.splice(0)).toEqual([{ from: 9n, message: { kind: 'timeout-now', term: 1 } }]);
  });
});

describe('oversized messages', () => {
  it.each(allPaths)('%s refuses them with RESOURCE_EXHAUSTED', async (path) => {
    const bytes = Buffer.alloc(maxMessageBytes({ ...testTuning, ...smallTuning }) + 1, 1);
    const { code } = await caller.call(path, bytes, members());
    expect(status[code]).toBe('RESOURCE_EXHAUSTED');
  });
});

describe('below gRPC', () => {
  const headers = {
    ':method': 'POST',
    'content-type': 'application/grpc',
    te: 'trailers',
    ...identity,
  };

  const lyingFrames = [
    { what: 'a length without its bytes', hex: '00000000ff01' },
    { what: 'a length of 4 GiB', hex: '00ffffffff01' },
    { what: 'a compressed message that is none', hex: '01000000040badf00d' },
    { what: 'an unknown compression flag', hex: '7f0000000100' },
    { what: 'half a frame', hex: '0000' },
    { what: 'nothing', hex: '' },
  ];

  /** Sends raw frames on an RPC; the gRPC status that came back, if any did. */
  async function rawCall(path: string, body: Buffer): Promise<string | undefined> {
    const session = connectHttp2(`http://127.0.0.1:${port}`);
    session.on('error', () => undefined);
    const grpcStatus = await new Promise<string | undefined>((resolve) => {
      const stream = session.request({ ...headers, ':path': path });
      let found: string | undefined;
      const look = (received: Record<string, unknown>): void => {
        const value = received['grpc-status'];
        if (value !== undefined) found = status[Number(value)];
      };
      stream.on('response', look);
      stream.on('trailers', look);
      stream.on('error', () => undefined);
      stream.on('close', () => resolve(found));
      stream.resume();
      stream.end(body);
    });
    session.destroy();
    return grpcStatus;
  }

  it.each(allPaths)('%s bears frames that lie', async (path) => {
    const outcomes: (string | undefined)[] = [];
    for (const { hex } of lyingFrames) outcomes.push(await rawCall(path, Buffer.from(hex, 'hex')));
    // A message that never was whole: a unary call lacks its message, a stream just ended.
    const noneOf: Record<string, string> = { [snapshotPath]: 'INVALID_ARGUMENT' };
    const none = unaryPaths.includes(path) ? 'UNIMPLEMENTED' : (noneOf[path] ?? 'OK');
    expect(outcomes).toEqual([none, 'RESOURCE_EXHAUSTED', 'INVALID_ARGUMENT', 'INVALID_ARGUMENT', none, none]);
  });

  it('bears 2000 streams that are opened and reset', async () => {
    const session = connectHttp2(`http://127.0.0.1:${port}`);
    session.on('error', () => undefined);
    let closed = 0;
    for (let count = 0; count < 2000 && !session.destroyed; count++) {
      const stream = session.request({ ...headers, ':path': allPaths[count % allPaths.length] ?? '' });
      stream.on('error', () => undefined);
      stream.on('close', () => closed++);
      stream.write(Buffer.from('000000000201', 'hex'), () => undefined);
      stream.close(constants.NGHTTP2_CANCEL);
      if (count % 50 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    await until(() => closed >= 1900 || session.destroyed, 'the streams are closed');
    session.destroy();
  });

  it('bears raw TCP garbage, and connections that are cut', async () => {
    const rng = seededRng(4);
    const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
    const bodies = [
      Buffer.from('GET / HTTP/1.1\r\n\r\n'),
      ...Array.from({ length: 20 }, () => randomBytes(rng, 500)),
      ...Array.from({ length: 20 }, () => Buffer.concat([preface, randomBytes(rng, 500)])),
    ];
    for (const [at, body] of bodies.entries()) {
      await new Promise<void>((resolve) => {
        const socket = connectTcp(port, '127.0.0.1', () => {
          socket.write(body);
          setTimeout(() => (at % 2 === 0 ? socket.destroy() : socket.resetAndDestroy()), 5);
        });
        socket.on('error', () => undefined);
        socket.on('close', () => resolve());
        socket.resume();
      });
    }
  });
});
