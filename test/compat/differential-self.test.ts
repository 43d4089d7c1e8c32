import { findForeign } from '../support/foreign';
import { runLane } from './differential/lane';
import { etcdTwice } from './differential/servers';
import type { Call, Outcome } from './differential/step';
import { Target } from './differential/target';

const etcd = findForeign('server', 'the comparison of etcd with itself');
const program = 'path' in etcd ? etcd.path : '';

/** Counts one too many of the keys that a delete takes. */
class Miscounting extends Target {
  override async call(call: Call): Promise<Outcome> {
    const outcome = await super.call(call);
    if (call.method !== 'deleteRange' || !('reply' in outcome)) return outcome;
    const reply = outcome.reply as { readonly deleted: bigint };
    return reply.deleted > 0n ? { reply: { ...reply, deleted: reply.deleted + 1n } } : outcome;
  }
}

/** Refuses with the right code and the wrong words. */
class Misspeaking extends Target {
  override async call(call: Call): Promise<Outcome> {
    const outcome = await super.call(call);
    return 'code' in outcome ? { ...outcome, message: outcome.message.replace('etcdserver: ', '') } : outcome;
  }
}

('missing' in etcd ? describe.skip : describe)('The comparison itself', () => {
  it('finds etcd equal to etcd', async () => {
    const volume = await runLane(1, 3000, { start: () => etcdTwice(program) });
    expect(volume.calls).toBeGreaterThanOrEqual(3000);
    expect(volume.errors).toBeGreaterThan(100);
    expect(volume.sessions).toBeGreaterThan(20);
    expect(volume.events).toBeGreaterThan(1000);
  });

  it.each([
    ['counts wrong', Miscounting, /\.reply.*\.deleted/],
    ['words an error in its own way', Misspeaking, /etcdserver: /],
  ])('notices a server that %s, and shows the few steps that it takes', async (_, Wrong, shown) => {
    const run = runLane(2, 3000, { start: () => etcdTwice(program, (name, address) => new Wrong(name, address)) });
    const message = await run.then(
      () => 'no difference',
      (error: unknown) => String(error),
    );
    expect(message).toMatch(/^Error: seed 2, step \d+: /);
    expect(message).toMatch(shown);
    const steps = message.split('\n').length - message.split('\n').findIndex((line) => line.startsWith('These steps'));
    expect(steps).toBeLessThan(12);
  });
});
