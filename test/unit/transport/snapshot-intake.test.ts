/** SnapshotIntake: the order of the parts, and exactly one end for every sink. */
import { deferred } from '../../../src/base/deferred';
import { SnapshotIntake } from '../../../src/transport/snapshot-intake';
import type { SnapshotPart } from '../../../src/transport/snapshot-codec';
import { RecordingSink, refusal, snapshotOf, violations } from '../../support/snapshots';
import { Recorder } from '../../support/transport';

const offer = snapshotOf(Buffer.from('0123456789'));
const header: SnapshotPart = { kind: 'header', offer };

function chunk(offset: number, text: string): SnapshotPart {
  return { kind: 'chunk', offset, data: Buffer.from(text) };
}

function setUp(): { intake: SnapshotIntake; recorder: Recorder; sink: RecordingSink } {
  const sink = new RecordingSink();
  const recorder = new Recorder();
  recorder.onOffer = () => sink;
  return { intake: new SnapshotIntake(recorder, 1n), recorder, sink };
}

afterEach(() => {
  expect(violations.splice(0)).toEqual([]);
});

describe('SnapshotIntake', () => {
  it('opens the sink at the header, fills it in order and finishes it', async () => {
    const { intake, recorder, sink } = setUp();
    for (const part of [header, chunk(0, '01234'), chunk(5, '56789')]) await intake.take(part);
    await intake.finish();
    expect(recorder.offers).toEqual([{ from: 1n, offer }]);
    expect(sink.calls).toEqual(['write', 'write', 'finish']);
    expect(sink.bytes.toString()).toBe('0123456789');
  });

  it.each<[string, SnapshotPart[]]>([
    ['a gap', [header, chunk(1, '1')]],
    ['a chunk twice', [header, chunk(0, '0'), chunk(0, '0')]],
    ['a second header', [header, header]],
    ['too many bytes', [header, chunk(0, '0123456789+')]],
  ])('refuses %s and aborts, once', async (_what, parts) => {
    const { intake, sink } = setUp();
    const last = parts.pop() ?? header;
    for (const part of parts) await intake.take(part);
    await expect(intake.take(last)).rejects.toMatchObject({ code: 'invalid-argument' });
    intake.abort();
    expect(sink.end).toBe('abort');
    await expect(intake.take(chunk(0, '0'))).rejects.toMatchObject({ code: 'unreachable' });
  });

  it('refuses a chunk before the header, and asks nobody', async () => {
    const { intake, recorder } = setUp();
    await expect(intake.take(chunk(0, '0'))).rejects.toMatchObject({ code: 'invalid-argument' });
    expect(recorder.offers).toEqual([]);
  });

  it('refuses an end that comes too soon, and aborts', async () => {
    const { intake, sink } = setUp();
    await intake.take(header);
    await intake.take(chunk(0, '012345678'));
    await expect(intake.finish()).rejects.toMatchObject({ code: 'invalid-argument' });
    expect(sink.calls).toEqual(['write', 'abort']);
  });

  it.each(['part', 'end'])(
    'refuses a %s that comes while the sink is busy, and aborts when it is free',
    async (what) => {
      const { intake, sink } = setUp();
      const gate = deferred<void>();
      sink.onWrite = () => gate.promise;
      await intake.take(header);
      const writing = intake.take(chunk(0, '0123456789'));
      const early = what === 'part' ? intake.take(chunk(0, '0123456789')) : intake.finish();
      await expect(early).rejects.toMatchObject({ code: 'invalid-argument' });
      expect(sink.calls).toEqual(['write']);
      gate.resolve();
      await expect(writing).rejects.toMatchObject({ code: 'unreachable' });
      expect(sink.calls).toEqual(['write', 'abort']);
    },
  );

  it('aborts a sink that is busy when that is free', async () => {
    const { intake, sink } = setUp();
    const gate = deferred<void>();
    sink.onWrite = () => gate.promise;
    await intake.take(header);
    const writing = intake.take(chunk(0, '0'));
    intake.abort();
    intake.abort();
    expect(sink.calls).toEqual(['write']);
    gate.resolve();
    await expect(writing).rejects.toMatchObject({ code: 'unreachable' });
    expect(sink.calls).toEqual(['write', 'abort']);
  });

  it('aborts a sink that comes after the transfer broke off', async () => {
    const { intake, recorder, sink } = setUp();
    const gate = deferred<RecordingSink>();
    recorder.onOffer = () => gate.promise;
    const opening = intake.take(header);
    intake.abort();
    gate.resolve(sink);
    await expect(opening).rejects.toMatchObject({ code: 'unreachable' });
    expect(sink.calls).toEqual(['abort']);
  });

  it('passes on what the sink rejects with', async () => {
    const { intake, sink } = setUp();
    sink.onWrite = () => Promise.reject(refusal('damaged'));
    await intake.take(header);
    await expect(intake.take(chunk(0, '0'))).rejects.toMatchObject({ code: 'damaged' });
    expect(sink.calls).toEqual(['write', 'abort']);
  });

  it('does not abort what it has finished', async () => {
    const { intake, sink } = setUp();
    sink.onFinish = () => Promise.reject(refusal('damaged'));
    await intake.take(header);
    await intake.take(chunk(0, '0123456789'));
    await expect(intake.finish()).rejects.toMatchObject({ code: 'damaged' });
    intake.abort();
    expect(sink.calls).toEqual(['write', 'finish']);
  });
});
