import { Metadata, status } from '@grpc/grpc-js';
import type { CallEnd } from '../../../../src/api/front-ends/frames';
import { costOf, frontEndLimits } from '../../../../src/api/front-ends/limits';
import { LinkedStream } from '../../../../src/api/front-ends/linked-call';

/** A stream of text; what it says is kept in order. */
function openStream() {
  const said: unknown[] = [];
  const heard: unknown[] = [];
  const stream = new LinkedStream(
    { request: undefined, metadata: new Metadata(), deadline: Infinity },
    {
      deserialize: (bytes) => {
        if (bytes.toString() === 'unreadable') throw new Error('unreadable');
        return bytes.toString();
      },
      serialize: (response) => {
        if (typeof response !== 'string') throw new Error('not a text');
        return Buffer.from(response);
      },
      message: (bytes) => said.push(bytes.toString()),
      taken: (cost) => said.push({ taken: cost }),
      end: (how) => said.push(how),
    },
  );
  stream.on('data', (request: string) => heard.push(request));
  stream.on('end', () => heard.push('END'));
  stream.on('cancelled', () => heard.push('CANCELLED'));
  return { stream, said, heard };
}

const text = (words: string): Buffer => Buffer.from(words);

const nextTick = (): Promise<void> => new Promise((resolve) => process.nextTick(resolve));

/** Requests that use up half a step of what is told at once. */
const halfStep = Buffer.alloc(frontEndLimits.takenStep / 2 - frontEndLimits.messageOverhead, 'x');

describe('the requests of a stream through a front end', () => {
  it('arrive as they come, then their end', () => {
    const { stream, heard } = openStream();
    stream.onMessage(text('a'));
    stream.onMessage(text('b'));
    stream.onEnd();
    expect(heard).toEqual(['a', 'b', 'END']);
  });

  it('wait while the handler has paused, and come in order when it has resumed and returned', async () => {
    const { stream, heard } = openStream();
    stream.pause();
    stream.onMessage(text('a'));
    stream.onMessage(text('b'));
    expect(heard).toEqual([]);
    stream.resume();
    stream.onMessage(text('c'));
    stream.onEnd();
    expect(heard).toEqual([]);
    await nextTick();
    expect(heard).toEqual(['a', 'b', 'c', 'END']);
  });

  it('wait again where the handler pauses again', async () => {
    const { stream, heard } = openStream();
    stream.pause();
    for (const word of ['a', 'b', 'c']) stream.onMessage(text(word));
    stream.once('data', () => stream.pause());
    stream.resume();
    await nextTick();
    expect(heard).toEqual(['a']);
    stream.resume();
    await nextTick();
    expect(heard).toEqual(['a', 'b', 'c']);
  });

  it('are told to be taken when they were given to the handler, a step at a time', async () => {
    const { stream, said } = openStream();
    stream.onMessage(halfStep);
    expect(said).toEqual([]);
    stream.onMessage(halfStep);
    expect(said).toEqual([{ taken: frontEndLimits.takenStep }]);
    stream.pause();
    stream.onMessage(halfStep);
    stream.onMessage(halfStep);
    expect(said).toHaveLength(1);
    stream.resume();
    await nextTick();
    expect(said).toEqual([{ taken: frontEndLimits.takenStep }, { taken: frontEndLimits.takenStep }]);
  });

  it('never exceed the window by more than one, or the front end is broken', () => {
    const { stream } = openStream();
    stream.pause();
    const count = Math.floor(frontEndLimits.requestWindow / costOf(halfStep)) + 1;
    for (let sent = 0; sent < count; sent++) stream.onMessage(halfStep);
    expect(() => {
      stream.onMessage(halfStep);
    }).toThrow('keeps to the window');
  });

  it('end the stream with INTERNAL when one cannot be read at all', () => {
    const { stream, said, heard } = openStream();
    stream.onMessage(text('unreadable'));
    stream.onMessage(text('after'));
    expect(said).toMatchObject([{ code: status.INTERNAL, details: 'Error deserializing request' }]);
    expect(heard).toEqual([]);
  });
});

describe('the responses of a stream through a front end', () => {
  it('call back one by one, when the front end says that they have left', () => {
    const { stream, said } = openStream();
    const left: string[] = [];
    stream.write('a', () => left.push('a'));
    stream.write('b');
    stream.write('c', () => left.push('c'));
    expect(said).toEqual(['a', 'b', 'c']);
    stream.onSent();
    expect(left).toEqual(['a']);
    stream.onSent();
    expect(left).toEqual(['a']);
    stream.onSent();
    expect(left).toEqual(['a', 'c']);
    expect(() => {
      stream.onSent();
    }).toThrow('no more responses leave');
  });

  it('end once, with the status that was emitted, its binary trailers among it', () => {
    const { stream, said } = openStream();
    const metadata = new Metadata();
    metadata.set('grpc-status-details-bin', Buffer.of(0, 255, 7));
    stream.write('a');
    stream.emit('error', { code: status.ABORTED, details: 'why', metadata });
    stream.end();
    expect(stream.write('late')).toBe(false);
    expect(said).toHaveLength(2);
    const end = said[1] as CallEnd;
    expect(end).toMatchObject({ code: status.ABORTED, details: 'why' });
    expect(end.metadata.get('grpc-status-details-bin')).toEqual([Buffer.of(0, 255, 7)]);
  });

  it('end with INTERNAL when one cannot be written', () => {
    const { stream, said } = openStream();
    stream.write(7);
    expect(said).toMatchObject([{ code: status.INTERNAL, details: 'Error serializing response' }]);
  });
});

it('a cancelled stream says so, and takes and gives nothing more', async () => {
  const { stream, said, heard } = openStream();
  const left = jest.fn();
  stream.pause();
  stream.onMessage(text('waiting'));
  stream.write('a', left);
  stream.cancel();
  stream.resume();
  stream.write('b', left);
  stream.end();
  await nextTick();
  expect(stream.cancelled).toBe(true);
  expect(heard).toEqual(['CANCELLED']);
  expect(said).toEqual(['a']);
  expect(left).not.toHaveBeenCalled();
});

it('what a listener throws is no broken link: it ends where it would end without front ends', () => {
  const later: (() => void)[] = [];
  jest.spyOn(process, 'nextTick').mockImplementation((callback) => void later.push(callback as () => void));
  const { stream } = openStream();
  const bug = (): never => {
    throw new Error('a bug of a handler');
  };
  stream.once('data', bug).once('end', bug).once('cancelled', bug);
  stream.write('a', bug);
  stream.onMessage(text('a'));
  stream.onEnd();
  stream.onSent();
  stream.cancel();
  expect(later).toHaveLength(4);
  for (const callback of later) expect(callback).toThrow('a bug of a handler');
});
