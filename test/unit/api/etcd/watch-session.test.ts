/** What a client of etcd's Watch service is told on one stream, message by message. */
import { EventMessages } from '../../../../src/api/etcd/watch-messages';
import { WatchSession, type WatchSessionLimits } from '../../../../src/api/etcd/watch-session';
import type { WatchCreateRequest } from '../../../../src/gen/etcd/etcdserverpb/watch';
import { Event_EventType } from '../../../../src/gen/etcd/mvccpb/kv';
import { defaultWatchHubOptions, WatchHub, type WatchHubOptions } from '../../../../src/kv/watch-hub';
import { FakeHistory, FakeTurns } from '../../../support/fake-history';
import { FakePort, inWords } from '../../../support/fake-watch-port';
import { VirtualTime } from '../../../support/virtual-time';

const put = (key: string, value = 'v') => ({ key, value });
const del = (key: string) => ({ key });

/** All keys, from now on. */
const everything: WatchCreateRequest = {
  key: Buffer.from('\0'),
  rangeEnd: Buffer.from('\0'),
  startRevision: 0n,
  progressNotify: false,
  filters: [],
  prevKv: false,
  watchId: 0n,
  fragment: false,
};

function setUp(more: { limits?: Partial<WatchSessionLimits>; hub?: Partial<WatchHubOptions> } = {}) {
  const history = new FakeHistory();
  const turns = new FakeTurns();
  const time = new VirtualTime();
  const hub = new WatchHub({ reader: history, scheduler: turns, options: { ...defaultWatchHubOptions, ...more.hub } });
  history.listener = hub;
  const port = new FakePort();
  const standard = { maxMessageBytes: 1 << 20, maxFragmentBytes: 1 << 20, maxReplies: 100 };
  const session = new WatchSession(port, {
    facts: { clusterId: 7n, memberId: 8n, term: () => 3 },
    reader: history,
    watches: hub,
    scheduler: time,
    watchProgressIntervalMs: 1000,
    watchLimits: { ...standard, ...more.limits },
    eventMessages: new EventMessages(),
  });
  return { history, turns, hub, port, session, ...requests(session), ...passing(time) };
}

function requests(session: WatchSession) {
  return {
    create: (request: Partial<WatchCreateRequest> = {}) => {
      session.onRequest({ requestUnion: { $case: 'createRequest', value: { ...everything, ...request } } });
    },
    cancel: (watchId: bigint) => {
      session.onRequest({ requestUnion: { $case: 'cancelRequest', value: { watchId } } });
    },
    askProgress: () => {
      session.onRequest({ requestUnion: { $case: 'progressRequest', value: {} } });
    },
  };
}

function passing(time: VirtualTime) {
  const pass = (ms: number) => {
    const until = time.now() + ms;
    while (time.runNextTimer(until));
  };
  return { pass };
}

/** A single key that nobody writes. */
const silence = { key: Buffer.from('silence'), rangeEnd: Buffer.alloc(0) };

describe("WatchSession of etcd's API", () => {
  it('answers with ids from 0, the header of this member, and the revision it begins after', () => {
    const { history, turns, port, create } = setUp();
    history.commit([put('a')]);
    create();
    create({ watchId: 7n });
    create();
    const [first, ...others] = port.sent();
    expect(first).toMatchObject({
      header: { clusterId: 7n, memberId: 8n, raftTerm: 3n, revision: 2n },
      watchId: 0n,
      created: true,
      canceled: false,
      events: [],
    });
    expect(others.map(inWords)).toEqual(['7@2 created', '1@2 created']);
    history.commit([put('b')]);
    turns.settle();
    expect(port.told()).toEqual(['0@3 3:b=v', '7@3 3:b=v', '1@3 3:b=v']);
  });

  it('does not give an id twice, and gives it again after its cancellation', () => {
    const { port, create, cancel } = setUp();
    create({ watchId: 1n });
    create();
    create({ watchId: 1n });
    create();
    expect(port.told()).toEqual([
      '1@1 created',
      '0@1 created',
      "-1@1 created canceled 'mvcc: duplicate watch ID provided on the WatchStream'",
      '2@1 created',
    ]);
    cancel(1n);
    cancel(1n);
    cancel(99n);
    create({ watchId: 1n });
    expect(port.told()).toEqual(['1@1 canceled', '1@1 created']);
  });

  it('refuses an empty range and a negative revision, and goes on', () => {
    const { history, turns, port, create } = setUp();
    create({ key: Buffer.from('b'), rangeEnd: Buffer.from('a') });
    create({ startRevision: -1n });
    create({ key: Buffer.from('b'), rangeEnd: Buffer.from('b') });
    expect(port.told()).toEqual([
      "-1@1 created canceled 'mvcc: watcher range is empty'",
      "-1@1 created canceled 'etcdserver: mvcc: required revision has been compacted'",
      "-1@1 created canceled 'mvcc: watcher range is empty'",
    ]);
    create();
    history.commit([put('a')]);
    turns.settle();
    expect(port.told()).toEqual(['0@1 created', '0@2 2:a=v']);
  });

  it('refuses more watches than the member may have', () => {
    const { port, create } = setUp({ hub: { maxWatches: 1 } });
    create();
    create();
    expect(port.told()).toEqual(['0@1 created', "-1@1 created canceled 'etcdserver: too many requests'"]);
  });

  it('takes no key for the first key there can be, and no end for a single key', () => {
    const { history, turns, port, create } = setUp();
    create({ key: Buffer.alloc(0), rangeEnd: Buffer.alloc(0) });
    create({ key: Buffer.alloc(0), rangeEnd: Buffer.from('b') });
    create({ key: Buffer.from('a'), rangeEnd: Buffer.alloc(0) });
    port.sent();
    history.commit([put('\0'), put('a'), put('a\0'), put('b')]);
    turns.settle();
    expect(port.told()).toEqual(['0@2 2:\0=v', '1@2 2:\0=v 2:a=v 2:a\0=v', '2@2 2:a=v']);
  });

  it('filters, and tells previous values', () => {
    const { history, turns, port, create } = setUp();
    create({ filters: [0], prevKv: true });
    create({ filters: [1] });
    create({ filters: [0, 1] });
    port.sent();
    history.commit([put('a', '1')], [put('a', '2')], [del('a')]);
    turns.settle();
    expect(port.told()).toEqual(['1@4 2:a=1 3:a=2', '0@4 4:a-(2)']);
  });

  it('tells of a deletion nothing but the key and its revision', () => {
    const { history, turns, port, create } = setUp();
    history.commit([put('a', '1')]);
    create();
    port.sent();
    history.commit([del('a')]);
    turns.settle();
    const nothing = { createRevision: 0n, version: 0n, value: Buffer.alloc(0), lease: 0n };
    const kv = { key: Buffer.from('a'), modRevision: 3n, ...nothing };
    expect(port.sent()[0]?.events).toEqual([{ type: Event_EventType.DELETE, kv, prevKv: undefined }]);
  });

  it('begins in the past, after its answer, and in the future, with nothing before', () => {
    const { history, turns, port, create } = setUp();
    history.commit([put('a')], [put('b')]);
    create({ startRevision: 3n });
    create({ startRevision: 5n });
    expect(port.told()).toEqual(['0@3 created', '1@3 created']);
    turns.settle();
    expect(port.told()).toEqual(['0@3 3:b=v']);
    history.commit([put('c')], [put('d')]);
    turns.settle();
    expect(port.told()).toEqual(['0@5 4:c=v 5:d=v', '1@5 5:d=v']);
  });

  it('ends a watch whose start is compacted with the compacted revision, and no reason', () => {
    const { history, turns, port, create } = setUp();
    history.commit([put('a')], [put('b')], [put('c')]);
    history.compact(3);
    create({ startRevision: 2n });
    create({ startRevision: 3n });
    turns.settle();
    expect(port.told()).toEqual(['0@4 created', '1@4 created', '0@0 canceled compacted 3', '1@4 3:b=v 4:c=v']);
  });

  it('keeps the id of a watch that it has ended until the client cancels it, too', () => {
    const { history, turns, port, create, cancel } = setUp();
    history.commit([put('a')], [put('b')]);
    history.compact(3);
    create({ watchId: 7n, startRevision: 2n });
    turns.settle();
    create({ watchId: 7n });
    cancel(7n);
    cancel(7n);
    create({ watchId: 7n });
    expect(port.told()).toEqual([
      '7@3 created',
      '7@0 canceled compacted 3',
      "-1@3 created canceled 'mvcc: duplicate watch ID provided on the WatchStream'",
      '7@3 canceled',
      '7@3 created',
    ]);
  });

  it('frees the ids of ended watches, the oldest first, where there are very many', () => {
    const { history, turns, port, create } = setUp();
    history.commit([put('a')], [put('b')]);
    history.compact(3);
    for (let at = 0; at <= 1002; at++) create({ startRevision: 2n });
    turns.settle();
    port.told();
    for (const watchId of [2n, 3n]) create({ watchId });
    expect(port.told()).toEqual(['2@3 created', expect.stringContaining('duplicate')]);
  });

  it('cuts what is too long only for watches that allow it', () => {
    const { history, turns, port, create } = setUp({ limits: { maxFragmentBytes: 120 } });
    create({ fragment: true });
    create();
    port.sent();
    const long = 'x'.repeat(50);
    history.commit([put('a', long), put('b', long), put('c', long)]);
    turns.settle();
    expect(port.told()).toEqual([
      `0@2 fragment 2:a=${long}`,
      `0@2 fragment 2:b=${long}`,
      `0@2 2:c=${long}`,
      `1@2 2:a=${long} 2:b=${long} 2:c=${long}`,
    ]);
  });

  it('sends nothing of a cancelled watch after the answer to the cancellation', () => {
    const { history, turns, hub, port, create, cancel } = setUp();
    create();
    history.commit([put('a')]);
    cancel(0n);
    history.commit([put('b')]);
    turns.settle();
    expect(port.told()).toEqual(['0@1 created', '0@2 canceled']);
    expect(hub.size).toBe(0);
  });

  it('answers a request for progress after the events that came before (etcd #15220)', () => {
    const { history, turns, port, create, askProgress } = setUp();
    create();
    create(silence);
    port.sent();
    askProgress();
    expect(port.told()).toEqual(['-1@1']);
    port.isWritable = false;
    history.commit([put('a')], [put('b')]);
    turns.settle();
    askProgress();
    port.isWritable = true;
    history.commit([put('c')]);
    turns.settle();
    expect(port.told()).toEqual([]);
    askProgress();
    expect(port.told()).toEqual(['0@4 2:a=v 3:b=v 4:c=v', '-1@4', '-1@4']);
  });

  it('answers a request for progress only when all watches have read their history', () => {
    const { history, turns, port, create, askProgress } = setUp({ hub: { catchUpChanges: 1 } });
    history.commit([put('a')], [put('a')], [put('a')]);
    create({ ...silence, startRevision: 2n });
    create();
    askProgress();
    askProgress();
    turns.end();
    expect(port.told()).toEqual(['0@4 created', '1@4 created']);
    turns.settle();
    expect(port.told()).toEqual(['-1@4', '-1@4']);
  });

  it('does not answer a request for progress while a watch waits for a future revision', () => {
    const { history, turns, port, create, askProgress } = setUp();
    create({ startRevision: 4n });
    askProgress();
    history.commit([put('a')], [put('b')], [put('c')]);
    turns.settle();
    expect(port.told()).toEqual(['0@1 created', '0@4 4:c=v']);
    askProgress();
    expect(port.told()).toEqual(['-1@4']);
  });

  it('tells silent watches how far they are, if they want to know', () => {
    const { history, turns, pass, port, create } = setUp();
    create({ progressNotify: true });
    create({ ...silence, progressNotify: true });
    create(silence);
    create({ progressNotify: true, startRevision: 9n });
    port.sent();
    pass(1100);
    expect(port.told()).toEqual([]);
    history.commit([put('a')], [put('b')]);
    turns.settle();
    expect(port.told()).toEqual(['0@3 2:a=v 3:b=v']);
    pass(1100);
    expect(port.told()).toEqual(['1@3']);
    pass(1100);
    expect(port.told()).toEqual(['0@3', '1@3']);
  });

  it('takes no more events than the client does, and reads no more requests than it answers', () => {
    const { history, turns, hub, port, session, create } = setUp({ limits: { maxReplies: 2 } });
    port.isWritable = false;
    create();
    expect(port.isPaused).toBe(false);
    create();
    expect(port.isPaused).toBe(true);
    history.commit([put('a')]);
    turns.settle();
    expect(port.told()).toEqual([]);
    expect(hub.totalQueuedBytes).toBeGreaterThan(0);
    port.isWritable = true;
    session.onWritable();
    expect(port.isPaused).toBe(false);
    expect(port.told()).toEqual(['0@1 created', '1@1 created', '0@2 2:a=v', '1@2 2:a=v']);
    expect(hub.totalQueuedBytes).toBe(0);
  });

  it('lets events of a watch that had everything gather until the hub calls, while others have their turns', () => {
    const { history, turns, port, session, create } = setUp();
    create();
    create();
    port.told();
    port.isWritable = false;
    history.commit([put('a')]);
    turns.settle();
    const takeOne = jest.spyOn(port, 'write').mockImplementationOnce((response) => {
      takeOne.mockRestore();
      port.write(response);
      port.isWritable = false;
    });
    port.isWritable = true;
    session.onWritable();
    expect(port.told()).toEqual(['0@2 2:a=v']);
    history.commit([put('b')]);
    port.isWritable = true;
    session.onWritable();
    expect(port.told()).toEqual(['1@3 2:a=v 3:b=v']);
    turns.settle();
    expect(port.told()).toEqual(['0@3 3:b=v']);
  });

  it('ends with the requests of the client, and gives back its watches', () => {
    const { hub, pass, port, session, create } = setUp();
    create({ ...silence, progressNotify: true });
    create();
    port.sent();
    session.onRequestsEnd();
    expect(port.isEnded).toBe(true);
    session.onClosed();
    expect(hub.size).toBe(0);
    pass(3000);
    expect(port.told()).toEqual([]);
  });

  it('ignores requests that say nothing', () => {
    const { port, session } = setUp();
    session.onRequest({ requestUnion: undefined });
    expect(port.told()).toEqual([]);
  });
});
