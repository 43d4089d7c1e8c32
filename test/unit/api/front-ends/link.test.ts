import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { Link } from '../../../../src/api/front-ends/link';
import { endOfTurn, FakeWire, framesOf, type SeenFrame, silent } from '../../../support/fake-wire';

function linkOver(wire: FakeWire, more: Partial<ConstructorParameters<typeof Link>[0]> = {}): Link {
  return new Link({ ...silent, socket: wire, ...more });
}

/** What the link makes of frames. */
async function bytesOf(frames: readonly SeenFrame[]): Promise<Buffer> {
  const wire = new FakeWire();
  const link = linkOver(wire);
  for (const { kind, id, payload } of frames) link.send(kind, id, payload);
  await endOfTurn();
  return wire.written;
}

/** Bytes that differ at every place. */
function patterned(length: number): Buffer {
  const bytes = Buffer.alloc(length);
  for (let at = 0; at < length; at++) bytes[at] = (at * 31 + (at >> 8)) & 0xff;
  return bytes;
}

/** To be compared: Jest walks through bytes one by one, and these are many. */
function digests(frames: readonly SeenFrame[]): readonly string[] {
  return frames.map(({ kind, id, payload }) => {
    const digest = createHash('sha256').update(payload).digest('base64');
    return [kind, id, payload.length, digest].join(' ');
  });
}

/** Cuts at these fractions of the length. */
function cut(bytes: Buffer, fractions: readonly number[]): Buffer[] {
  const places = fractions.map((it) => Math.floor(it * bytes.length)).sort((a, b) => a - b);
  return [0, ...places].map((from, at) => bytes.subarray(from, places[at] ?? bytes.length));
}

const anyFrame = fc.record({
  kind: fc.integer({ min: 0, max: 255 }),
  id: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
  payload: fc
    .oneof({ weight: 8, arbitrary: fc.nat(40) }, fc.constantFrom(0, 16_384, 16_385, 65_536, 200_000))
    .map(patterned),
});

describe('a link', () => {
  it('gives the same frames however their bytes are cut', async () => {
    const fractions = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 30 });
    await fc.assert(
      fc.asyncProperty(fc.array(anyFrame, { maxLength: 20 }), fractions, async (frames, places) => {
        expect(digests(framesOf(cut(await bytesOf(frames), places)))).toEqual(digests(frames));
      }),
      { numRuns: 200 },
    );
  });

  it('gives the same frames when every byte comes alone', async () => {
    const frames = [0, 1, 30].map((length, id) => ({ kind: 7, id, payload: patterned(length) }));
    const bytes = await bytesOf(frames);
    expect(framesOf([...bytes].map((byte) => Buffer.of(byte)))).toEqual(frames);
  });

  it('puts a frame of thousands of chunks together once', async () => {
    const frame = { kind: 1, id: 2, payload: patterned(1024 * 1024) };
    const bytes = await bytesOf([frame]);
    const chunks = Array.from({ length: Math.ceil(bytes.length / 256) }, (_, at) =>
      bytes.subarray(at * 256, (at + 1) * 256),
    );
    const concat = jest.spyOn(Buffer, 'concat');
    const seen = framesOf(chunks);
    const calls = concat.mock.calls.length;
    concat.mockRestore();
    expect(calls).toBeLessThanOrEqual(2);
    expect(digests(seen)).toEqual(digests([frame]));
  });

  it('sends what one turn says with one write, and the next turn with another', async () => {
    const wire = new FakeWire();
    const link = linkOver(wire);
    for (let id = 0; id < 5000; id++) link.send(3, id, patterned(id % 50));
    expect(wire.writes).toHaveLength(0);
    await endOfTurn();
    expect(wire.writes).toHaveLength(1);
    link.send(3, 5000, patterned(5));
    await endOfTurn();
    expect(wire.writes).toHaveLength(2);
    expect(framesOf([wire.written])).toHaveLength(5001);
  });

  it('sends a large payload from where it is, in its place between the others', async () => {
    const wire = new FakeWire();
    const link = linkOver(wire);
    const large = patterned(100_000);
    link.send(1, 1, patterned(10));
    const at = link.begin({ kind: 1, id: 2, headBytes: 4 }, large);
    link.pool.write('head', at);
    link.send(1, 3, patterned(11));
    await endOfTurn();
    expect(wire.writes.flat().some((piece) => piece === large)).toBe(true);
    const payloads = [patterned(10), Buffer.concat([Buffer.from('head'), large]), patterned(11)];
    const expected = payloads.map((payload, before) => ({ kind: 1, id: before + 1, payload }));
    expect(digests(framesOf([wire.written]))).toEqual(digests(expected));
  });

  it('counts what is not on its way yet', async () => {
    const wire = new FakeWire();
    const link = linkOver(wire);
    link.send(1, 1, patterned(100));
    link.send(1, 1, patterned(50_000));
    expect(link.unsentBytes).toBe(9 + 100 + 9 + 50_000);
    await endOfTurn();
    expect(link.unsentBytes).toBe(0);
  });

  it('is closed by a frame that is larger than any may be', async () => {
    const wire = new FakeWire();
    const broken: unknown[] = [];
    linkOver(wire, { maxPayloadBytes: 1000, onBroken: (error) => broken.push(error) });
    wire.push((await bytesOf([{ kind: 1, id: 1, payload: patterned(1001) }])).subarray(0, 9));
    await endOfTurn();
    expect(String(broken)).toContain('no larger than what it may carry');
    expect(wire.destroyed).toBe(true);
  });

  it('is closed when its reader fails, which harms nobody else', async () => {
    const wire = new FakeWire();
    const broken: unknown[] = [];
    const onFrame = (): void => {
      throw new Error('a frame that should not be');
    };
    linkOver(wire, { onFrame, onBroken: (error) => broken.push(error) });
    wire.push(await bytesOf([{ kind: 1, id: 1, payload: patterned(1) }]));
    await endOfTurn();
    expect(broken).toEqual([new Error('a frame that should not be')]);
    expect(wire.destroyed).toBe(true);
  });

  it('says nothing more once it is closed', async () => {
    const wire = new FakeWire();
    const closed = jest.fn();
    const link = linkOver(wire, { onClosed: closed });
    link.destroy();
    link.send(1, 1, patterned(10));
    await endOfTurn();
    expect(wire.writes).toEqual([]);
    expect(closed).toHaveBeenCalledTimes(1);
  });
});
