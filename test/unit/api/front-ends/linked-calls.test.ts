import { Metadata, status } from '@grpc/grpc-js';
import { callEndOf, frameKind, metadataText, writeCall } from '../../../../src/api/front-ends/frames';
import { Link } from '../../../../src/api/front-ends/link';
import type { LinkedCall, LinkedCallback, LinkedStream } from '../../../../src/api/front-ends/linked-call';
import { LinkedCalls } from '../../../../src/api/front-ends/linked-calls';
import type { ServedMethod } from '../../../../src/api/front-ends/method-table';
import { endOfTurn, FakeWire, framesOf, silent } from '../../../support/fake-wire';

const unary = 0;
const streaming = 1;

let begun: { call: LinkedCall; callback: LinkedCallback | undefined }[];
let handle: (call: LinkedCall, callback?: LinkedCallback) => void;
let wire: FakeWire;
let calls: LinkedCalls;

function method(requestStream: boolean, responseStream: boolean): ServedMethod {
  return {
    path: '/test/method',
    requestStream,
    responseStream,
    deserialize: (bytes) => JSON.parse(bytes.toString()) as unknown,
    serialize: (response) => Buffer.from(JSON.stringify(response)),
    handler: (call, callback) => {
      handle(call, callback);
    },
  };
}

beforeEach(() => {
  begun = [];
  handle = (call, callback) => void begun.push({ call, callback });
  wire = new FakeWire();
  calls = new LinkedCalls([method(false, false), method(true, true)], new Link({ ...silent, socket: wire }));
});

/** The front end says that a client calls. */
async function begin(
  id: number,
  more: { method?: number; metadata?: string; deadline?: number; request?: string } = {},
): Promise<void> {
  const out = new FakeWire();
  const { method: index = unary, metadata = '', deadline = Infinity, request = '"question"' } = more;
  writeCall(new Link({ ...silent, socket: out }), id, { method: index, deadline, metadata }, Buffer.from(request));
  for (const frame of await out.frames()) calls.onFrame(frame.kind, frame.id, frame.payload);
}

/** What was said to the front end. */
async function said(): Promise<readonly { kind: number; id: number; text: string }[]> {
  await endOfTurn();
  return framesOf([wire.written]).map(({ kind, id, payload }) => ({ kind, id, text: payload.toString() }));
}

describe('a unary call through a front end', () => {
  it('brings its request, its deadline and what the client sent along', async () => {
    const sent = new Metadata();
    sent.set('hasleader', 'true');
    sent.set('other', 'secret');
    sent.set('token-bin', Buffer.of(0, 200));
    await begin(1, { deadline: 1234.5, metadata: metadataText(sent, ['hasleader', 'token-bin', 'missing']) });
    expect(begun[0]?.call).toMatchObject({ request: 'question', cancelled: false });
    expect(begun[0]?.call.getDeadline()).toBe(1234.5);
    const { metadata } = begun[0]?.call ?? {};
    expect(metadata?.get('hasleader')).toEqual(['true']);
    expect(metadata?.get('token-bin')).toEqual([Buffer.of(0, 200)]);
    expect(metadata?.get('other')).toEqual([]);
  });

  it('may have no deadline and nothing sent along', async () => {
    await begin(1, { metadata: metadataText(new Metadata(), ['hasleader']) });
    expect(begun[0]?.call.getDeadline()).toBe(Infinity);
    expect(begun[0]?.call.metadata.getMap()).toEqual({});
  });

  it('is answered once', async () => {
    await begin(2 ** 32 - 1);
    begun[0]?.callback?.(null, { answer: 42 });
    begun[0]?.callback?.(null, { answer: 43 });
    expect(await said()).toEqual([{ kind: frameKind.answer, id: 2 ** 32 - 1, text: '{"answer":42}' }]);
  });

  it('fails with a code, details of any text, and binary trailers', async () => {
    const metadata = new Metadata();
    metadata.set('grpc-status-details-bin', Buffer.of(0, 255, 7));
    await begin(5);
    begun[0]?.callback?.({ code: status.NOT_FOUND, details: 'nö, 100% \u0000', metadata });
    const [frame] = await said();
    expect(frame).toMatchObject({ kind: frameKind.status, id: 5 });
    const end = callEndOf(frame?.text ?? '');
    expect(end).toMatchObject({ code: status.NOT_FOUND, details: 'nö, 100% \u0000' });
    expect(end.metadata.get('grpc-status-details-bin')).toEqual([Buffer.of(0, 255, 7)]);
  });

  it.each([
    ['without trailers', { code: status.NOT_FOUND, details: 'd' }, { code: status.NOT_FOUND, details: 'd' }],
    ['that is a plain error', new Error('why'), { code: status.UNKNOWN, details: 'why' }],
  ])('fails with a status %s', async (_, error, expected) => {
    await begin(5);
    begun[0]?.callback?.(error);
    expect(callEndOf((await said())[0]?.text ?? '')).toMatchObject(expected);
  });

  it.each([
    ['whose request cannot be read', '{', status.INTERNAL, 'Error deserializing request'],
    ['whose handler throws', '"throw"', status.UNKNOWN, 'Unknown error'],
    ['whose response cannot be written', '"cycle"', status.INTERNAL, 'Error serializing response'],
  ])('%s fails as grpc-js lets it fail', async (_, request, code, details) => {
    handle = (call, callback) => {
      if (call.request === 'throw') throw new Error('a secret');
      callback?.(null, 1n);
    };
    await begin(6, { request });
    const frames = await said();
    expect(frames).toHaveLength(1);
    expect(callEndOf(frames[0]?.text ?? '')).toMatchObject({ code, details });
  });

  it('that is cancelled says so, and takes no answer', async () => {
    await begin(7);
    const cancelled = jest.fn();
    begun[0]?.call.once('cancelled', cancelled);
    calls.onFrame(frameKind.cancelled, 7, Buffer.alloc(0));
    begun[0]?.callback?.(null, 'too late');
    expect(cancelled).toHaveBeenCalledTimes(1);
    expect(begun[0]?.call.cancelled).toBe(true);
    expect(await said()).toEqual([]);
  });
});

describe('a stream through a front end', () => {
  it('goes both ways until its status', async () => {
    await begin(8, { method: streaming, request: '' });
    const stream = begun[0]?.call as LinkedStream;
    const heard: unknown[] = [];
    const left = jest.fn();
    stream.on('data', (request) => heard.push(request)).on('end', () => heard.push('END'));
    calls.onFrame(frameKind.message, 8, Buffer.from('"a"'));
    calls.onFrame(frameKind.end, 8, Buffer.alloc(0));
    stream.write('b', left);
    calls.onFrame(frameKind.sent, 8, Buffer.alloc(0));
    stream.end();
    calls.onFrame(frameKind.message, 8, Buffer.from('"late"'));
    expect(heard).toEqual(['a', 'END']);
    expect(left).toHaveBeenCalledTimes(1);
    const [message, end] = await said();
    expect(message).toEqual({ kind: frameKind.message, id: 8, text: '"b"' });
    expect(callEndOf(end?.text ?? '')).toMatchObject({ code: status.OK });
  });

  it('does not hear of a number that was given back, and is another under the same', async () => {
    await begin(9, { method: streaming, request: '' });
    (begun[0]?.call as LinkedStream).end();
    await begin(9);
    expect(begun).toHaveLength(2);
    begun[1]?.callback?.(null, 'x');
    expect((await said()).map(({ kind }) => kind)).toEqual([frameKind.status, frameKind.answer]);
  });
});

it('all calls of a front end that is gone are cancelled', async () => {
  await begin(1);
  await begin(2, { method: streaming, request: '' });
  calls.cancelAll();
  expect(begun.map(({ call }) => call.cancelled)).toEqual([true, true]);
  begun[0]?.callback?.(null, 'too late');
  expect(await said()).toEqual([]);
});

describe('what no front end says', () => {
  it.each([
    ['another kind', 77, 1, ''],
    ['an answer', frameKind.answer, 1, ''],
    ['a message of a unary call', frameKind.message, 1, '""'],
    ['a call without a head', frameKind.call, 2, 'short'],
  ])('is found: %s', async (_, kind, id, payload) => {
    await begin(1);
    expect(() => {
      calls.onFrame(kind, id, Buffer.from(payload));
    }).toThrow('assertion failed');
  });

  it('is found: a method that is not there, a number that is in use', async () => {
    await expect(begin(1, { method: 2 })).rejects.toThrow('calls a method it was told');
    await begin(1);
    await expect(begin(1)).rejects.toThrow('a number of its own');
  });
});
