import type { Incarnation } from '../../../src/base/incarnation';
import { PeerRegistry } from '../../../src/node/peer-registry';
import type { MemberId } from '../../../src/raft';
import { recordingLogger } from '../../support/transport';

const known: Incarnation = { disk: 7n, boots: 5, run: 50n };

function makeRegistry(noted: ReadonlyMap<MemberId, Incarnation> = new Map([[2n, known]])) {
  const logger = recordingLogger();
  const notes: { peer: MemberId; incarnation: Incarnation }[] = [];
  const time = { ms: 0 };
  const registry = new PeerRegistry({
    known: noted,
    clock: { now: () => time.ms },
    logger,
    isMember: (peer) => peer <= 3n,
    note: (peer, incarnation) => void notes.push({ peer, incarnation }),
  });
  return { registry, notes, logger, time };
}

describe('Peer registry', () => {
  it('trusts and notes whom it hears of for the first time', () => {
    const { registry, notes } = makeRegistry(new Map());
    expect(registry.admit(2n, known)).toBe(true);
    expect(notes).toEqual([{ peer: 2n, incarnation: known }]);
  });

  it('admits the same life again and again, and notes it once', () => {
    const { registry, notes, logger } = makeRegistry();
    for (let call = 0; call < 3; call++) expect(registry.admit(2n, { ...known })).toBe(true);
    expect([notes, logger.lines]).toEqual([[], []]);
  });

  it.each([6, 9])('admits and notes a later life of the same disk: opening %d after 5', (boots) => {
    const { registry, notes } = makeRegistry();
    const later = { ...known, boots, run: 60n };
    expect(registry.admit(2n, later)).toBe(true);
    expect(registry.admit(2n, later)).toBe(true);
    expect(notes).toEqual([{ peer: 2n, incarnation: later }]);
  });

  it.each<[string, Incarnation | undefined, RegExp]>([
    ['a wiped disk', { disk: 8n, boots: 1, run: 60n }, /another disk/],
    ['another disk that was opened more often', { disk: 8n, boots: 9, run: 60n }, /another disk/],
    ['an older copy of the disk', { disk: 7n, boots: 4, run: 60n }, /older copy.*opened 4 times, and 5 times before/],
    ['a copy of the disk as it was before its last start', { disk: 7n, boots: 5, run: 60n }, /two copies/],
    ['a program that tells no incarnation', undefined, /no incarnation/],
  ])('refuses %s (invariant M7)', (_, found, reason) => {
    const { registry, notes, logger } = makeRegistry();
    expect(registry.admit(2n, found)).toBe(false);
    expect(notes).toEqual([]);
    expect(logger.lines).toEqual([expect.objectContaining({ level: 'error', reason: expect.stringMatching(reason) })]);
    expect(registry.admit(2n, known)).toBe(true);
  });

  it('refuses the life before, once it has seen a later one', () => {
    const { registry } = makeRegistry();
    registry.admit(2n, { ...known, boots: 6, run: 60n });
    expect(registry.admit(2n, known)).toBe(false);
  });

  it('does not hold what one peer is against another', () => {
    const { registry } = makeRegistry();
    expect(registry.admit(3n, { disk: 8n, boots: 1, run: 60n })).toBe(true);
    expect(registry.admit(2n, known)).toBe(true);
  });

  it('lets a peer of an earlier program in while it knows no incarnation of it', () => {
    const { registry, notes } = makeRegistry(new Map());
    expect(registry.admit(2n, undefined)).toBe(true);
    expect(notes).toEqual([]);
    expect(registry.admit(2n, known)).toBe(true);
    expect(registry.admit(2n, undefined)).toBe(false);
  });

  it('says so once a minute for each peer', () => {
    const { registry, logger, time } = makeRegistry(
      new Map([
        [2n, known],
        [3n, known],
      ]),
    );
    const stranger = { disk: 8n, boots: 1, run: 60n };
    for (time.ms = 0; time.ms < 60_000; time.ms += 5000) registry.admit(2n, stranger);
    expect(logger.lines).toHaveLength(1);
    registry.admit(3n, stranger);
    expect(logger.lines).toHaveLength(2);
    registry.admit(2n, stranger);
    expect(logger.lines).toHaveLength(3);
  });

  it('remembers no more than a thousand strangers, but always the members', () => {
    const { registry, notes } = makeRegistry(new Map());
    for (let id = 4n; id < 2004n; id++) expect(registry.admit(id, { disk: id, boots: 1, run: id })).toBe(true);
    expect(notes).toHaveLength(1000);
    registry.admit(2n, known);
    expect(notes.at(-1)).toEqual({ peer: 2n, incarnation: known });
    expect(registry.admit(2n, { ...known, boots: 1 })).toBe(false);
  });
});
