/** Messages that many streams are told alike: made once, and never told where they differ. */
import { EventMessages, responseBytes } from '../../../../src/api/etcd/watch-messages';
import type { WatchEvent } from '../../../../src/kv/watch';

const event = (revision: number): WatchEvent => ({
  change: {
    ...{ revision, sub: 0, kind: 'put' },
    record: {
      ...{ key: Buffer.from('k'), value: Buffer.from('v'), form: 'bytes', lease: 0n },
      ...{ createRevision: revision, modRevision: revision, version: 1 },
    },
  },
  previous: undefined,
});
const [first, second] = [event(2), event(3)];
const head = (more: { watchId?: bigint; revision?: bigint; raftTerm?: bigint } = {}) => {
  const { watchId = 0n, ...header } = more;
  return { watchId, header: { clusterId: 7n, memberId: 8n, revision: 3n, raftTerm: 1n, ...header } };
};

describe('EventMessages', () => {
  it('makes a message once for all that are told the same', () => {
    const messages = new EventMessages();
    const bytes = messages.bytesOf(head(), [first, second]);
    expect(bytes).toEqual(responseBytes(head(), [first, second]));
    expect(messages.bytesOf(head(), [first, second])).toBe(bytes);
  });

  it.each([
    ['of another watch', head({ watchId: 1n }), [first, second]],
    ['at another revision', head({ revision: 4n }), [first, second]],
    ['in another term', head({ raftTerm: 2n }), [first, second]],
    ['of fewer events', head(), [first]],
    ['of other events', head(), [first, event(3)]],
    ['of the same events in another order', head(), [second, first]],
  ])('makes a new one %s', (_, other, events) => {
    const messages = new EventMessages();
    const bytes = messages.bytesOf(head(), [first, second]);
    const next = messages.bytesOf(other, events);
    expect(next).not.toBe(bytes);
    expect(next).toEqual(responseBytes(other, events));
  });
});
