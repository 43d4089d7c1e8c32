/** The key-value state machine against a plain model that keeps every state of the past. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import type { Command, RangeOperation } from '../../src/kv/command';
import { BatchEncoder, decodeCommand, encodeCommand } from '../../src/kv/command-codec';
import { MemoryStateDisk } from '../../src/kv/memory-medium';
import type { RequestRetention } from '../../src/kv/request-table';
import type { ApplyListener, Change, HistoryQuery, RangeQuery, Result } from '../../src/kv/result';
import { decodeResult, encodeResult } from '../../src/kv/result-codec';
import { openKvStateMachine, type KvStateMachine } from '../../src/kv/state-machine';
import { anyCommand, anyKey, anyRange, anyReadTxn, anyRequestId, anySelection } from '../support/kv-arbitraries';
import { entries } from '../support/kv-entries';
import { KvModel } from '../support/kv-model';
import { takeIn } from '../support/kv-snapshots';

const retention: RequestRetention = { count: 4, resultBytes: 1 << 20, ageMs: 5000 };
const clusterId = 1n;

const anyPage: fc.Arbitrary<RangeQuery> = fc
  .record({
    range: anyRange,
    revision: fc.nat(30),
    limit: fc.integer({ min: 1, max: 6 }),
    maxBytes: fc.integer({ min: 0, max: 60 }),
    keysOnly: fc.boolean(),
  })
  .map(({ range, ...rest }) => ({ ...range, ...rest }));
const anyHistory: fc.Arbitrary<HistoryQuery> = fc.record({
  beforeRevision: fc.nat(20),
  limit: fc.integer({ min: 1, max: 5 }),
  maxBytes: fc.integer({ min: 0, max: 60 }),
  keysOnly: fc.boolean(),
});
const batch = fc.record({
  kind: fc.constant('apply' as const),
  commands: fc.array(anyCommand, { minLength: 1, maxLength: 6 }),
});
const step = fc.oneof(
  { weight: 8, arbitrary: batch },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('get' as const), key: anyKey, revision: fc.nat(30) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('page' as const), query: anyPage }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('select' as const), selection: anySelection }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('read-txn' as const), txn: anyReadTxn }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('changes' as const),
      from: fc.nat(30),
      maxChanges: fc.integer({ min: 1, max: 6 }),
      maxBytes: fc.nat(60),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('history' as const), key: anyKey, query: anyHistory }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('request' as const), id: anyRequestId }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('sweep' as const), steps: fc.integer({ min: 1, max: 3 }) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('reopen' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('install' as const) }) },
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

const emptySelection: RangeOperation = {
  kind: 'range',
  range: { start: Buffer.alloc(0), end: undefined },
  revision: 0,
  limit: 0,
  sortTarget: 'key',
  sortOrder: 'none',
  keysOnly: false,
  countOnly: false,
  ...{ minModRevision: 0, maxModRevision: 0, minCreateRevision: 0, maxCreateRevision: 0 },
};

/** Views of buffers and buffers are the same to whoever reads them. */
function plain(value: unknown): unknown {
  const replace = (_: string, each: unknown): unknown => (typeof each === 'bigint' ? `${String(each)}n` : each);
  return JSON.parse(JSON.stringify([withHex(value)], replace));
}

function withHex(value: unknown): unknown {
  if (value instanceof Uint8Array) return `hex ${Buffer.from(value).toString('hex')}`;
  if (Array.isArray(value)) return value.map(withHex);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, withHex(each)]));
}

/** One machine and the model beside it. */
class Pair {
  readonly model = new KvModel(retention);
  readonly told: Change[] = [];
  readonly done = new Map<Step['kind'], number>();
  machine: KvStateMachine;
  readonly #disk = new MemoryStateDisk();

  constructor() {
    this.machine = this.#open(this.#disk);
  }

  async do(next: Step): Promise<void> {
    this.done.set(next.kind, (this.done.get(next.kind) ?? 0) + 1);
    switch (next.kind) {
      case 'apply':
        this.#apply(next.commands);
        return;
      case 'get':
        this.#compare(
          next.revision,
          () => this.machine.get(next.key, next.revision),
          (state) =>
            this.model.inRange(state, { start: next.key, end: Buffer.concat([next.key, Buffer.alloc(1)]) }).at(0),
        );
        return;
      case 'page':
        this.#compare(
          next.query.revision,
          () => this.machine.range(next.query),
          (state) => page(this.model.inRange(state, next.query), next.query),
        );
        return;
      case 'select':
        this.#compare(
          next.selection.revision,
          () => this.machine.select(next.selection),
          (state) => this.model.select(next.selection, state, this.model.revision),
        );
        return;
      case 'read-txn':
        expect(plain(this.machine.readTxn(next.txn))).toEqual(plain(this.model.readTxn(next.txn)));
        return;
      case 'changes':
        this.#changes(next);
        return;
      case 'history': {
        const expected = historyPage(this.model.historyOf(next.key), next.query);
        expect(plain(this.machine.keyHistory(next.key, next.query))).toEqual(plain(expected));
        return;
      }
      case 'request':
        expect(this.machine.requestState(next.id)).toBe(this.model.requestState(next.id));
        return;
      case 'sweep':
        for (let left = next.steps; left > 0; left--) this.machine.compactStep();
        return;
      case 'reopen':
        await this.machine.close();
        this.machine = this.#open(this.#disk);
        return;
      case 'install':
        return this.#install();
    }
  }

  checkAll(): void {
    const { machine, model } = this;
    const { revision, compactRevision, clockMs, quotaBytes } = model;
    expect(machine).toMatchObject({ revision, compactRevision, clockMs, quotaBytes });
    expect(machine.requestCount).toBe(model.requests.size);
    const byId = (a: { readonly id: bigint }, b: { readonly id: bigint }): number => (a.id < b.id ? -1 : 1);
    expect([...machine.leases()].sort(byId)).toEqual([...model.leases.values()].sort(byId));
    for (const id of model.leases.keys()) expect(plain(machine.leaseKeys(id))).toEqual(plain(model.keysOf(id)));
    const alarms = [...model.alarms].sort((a, b) => (`${a.alarm}${a.memberId}` < `${b.alarm}${b.memberId}` ? -1 : 1));
    expect(machine.alarms).toEqual(alarms);
    expect(machine.keyCount).toBe(this.model.select(emptySelection, model.at(0) as never, 0).count);
    expect(plain(this.told)).toEqual(plain(model.changesFrom(0)));
  }

  #apply(commands: readonly Command[]): void {
    const first = this.machine.appliedIndex + 1;
    const results = this.machine.apply(entries(first, commands));
    const expected = commands.map((command, at) => this.model.apply(command, { index: first + at, term: 1 }));
    expect(plain(results)).toEqual(plain(expected));
    for (const result of expected) {
      if (result.kind === 'batch') throw new Error('commands that travel alone make no batch');
      expect(plain({ ...decodeResult(encodeResult(result)), replayed: result.replayed })).toEqual(plain(result));
    }
  }

  #compare(revision: number, actual: () => unknown, expected: (state: never) => unknown): void {
    const state = this.model.at(revision);
    if (typeof state !== 'string') {
      expect(plain(actual())).toEqual(plain(expected(state as never)));
      return;
    }
    const limit = String(state === 'compacted' ? this.model.compactRevision : this.model.revision);
    expect(actual).toThrow(expect.objectContaining({ code: state, details: expect.objectContaining({ limit }) }));
  }

  #changes({ from, maxChanges, maxBytes }: { from: number; maxChanges: number; maxBytes: number }): void {
    const read = (): readonly Change[] => this.machine.changes(from, maxChanges, maxBytes);
    // Nothing happened before revision 1: 0 asks for the same as 1.
    if (Math.max(1, from) < this.model.compactRevision) {
      expect(read).toThrow(expect.objectContaining({ code: 'compacted' }));
      return;
    }
    const all = this.model.changesFrom(from);
    let count = 0;
    let bytes = 0;
    for (const [at, { record, revision }] of all.entries()) {
      bytes += record.key.length + record.value.length;
      const isFirst = revision === all[0]?.revision;
      if (!isFirst && (at + 1 > maxChanges || bytes > maxBytes)) break;
      if (all[at + 1]?.revision !== revision) count = at + 1;
    }
    expect(plain(read())).toEqual(plain(all.slice(0, count)));
  }

  /** Another member takes in what this one is, goes on for it, and says the same. */
  async #install(): Promise<void> {
    const other = this.#open(new MemoryStateDisk());
    const snapshot = await this.machine.takeSnapshot();
    if (snapshot.last.index === 0) return;
    await takeIn(other, snapshot);
    await other.install(snapshot.last);
    expect(other.hash()).toBe(this.machine.hash());
    await this.machine.close();
    await other.close();
    this.machine = this.#open(this.#disk);
  }

  #open(disk: MemoryStateDisk): KvStateMachine {
    const machine = openKvStateMachine({ path: ':memory:', clusterId, disk, retention });
    const { told } = this;
    const nothing = (): void => undefined;
    const onChanges = (changes: readonly Change[]): void => void told.push(...changes);
    const listener: ApplyListener = {
      onChanges,
      onLeaseRenewed: nothing,
      onLeaseEnded: nothing,
      onCompacted: nothing,
      onReplaced: nothing,
    };
    machine.addListener(listener);
    return machine;
  }
}

function page(records: readonly { key: Uint8Array; value: Uint8Array }[], query: RangeQuery): unknown {
  const shown = records.map((record) => (query.keysOnly ? { ...record, value: Buffer.alloc(0) } : record));
  const count = fitting(shown, query);
  return { records: shown.slice(0, count), more: count < shown.length };
}

function historyPage(changes: readonly Change[], { beforeRevision, keysOnly, ...limits }: HistoryQuery): unknown {
  const older = changes.filter(({ revision }) => beforeRevision === 0 || revision < beforeRevision);
  const shown = older.map((change) =>
    keysOnly ? { ...change, record: { ...change.record, value: Buffer.alloc(0) } } : change,
  );
  const count = fitting(
    shown.map(({ record }) => record),
    limits,
  );
  return { changes: shown.slice(0, count), more: count < shown.length };
}

function fitting(
  records: readonly { key: Uint8Array; value: Uint8Array }[],
  { limit, maxBytes }: { limit: number; maxBytes: number },
): number {
  let bytes = 0;
  let count = 0;
  for (const { key, value } of records.slice(0, limit)) {
    bytes += key.length + value.length;
    if (count > 0 && bytes > maxBytes) break;
    count += 1;
  }
  return count;
}

describe('The key-value state machine', () => {
  it('says what a plain model says, whatever is asked, in whatever order', async () => {
    const done = new Map<string, number>();
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 40 }), async (steps) => {
        const pair = new Pair();
        for (const next of steps) await pair.do(next);
        pair.checkAll();
        await pair.machine.close();
        for (const [kind, count] of pair.done) done.set(kind, (done.get(kind) ?? 0) + count);
      }),
      { numRuns: 300 },
    );
    // About 150 of the rarest are expected.
    expect(done.size).toBe(11);
    expect(Math.min(...done.values())).toBeGreaterThan(40);
  });
});

describe('Replicas', () => {
  let directory: string;
  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'quorate-model-'));
  });
  afterAll(() => {
    rmSync(directory, { recursive: true });
  });

  it('have the same hash whatever the batches are and whatever was removed, on disk and in memory (N5)', async () => {
    let run = 0;
    const sizes = fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1, maxLength: 10 });
    await fc.assert(
      fc.asyncProperty(fc.array(anyCommand, { minLength: 1, maxLength: 60 }), sizes, async (commands, batches) => {
        const all = entries(1, commands);
        const whole = openKvStateMachine({ path: ':memory:', clusterId, retention });
        const path = join(directory, `${String(run++)}.db`);
        const parts = openKvStateMachine({ path, clusterId, retention });
        const results = whole.apply(all);
        const inParts: (Result | undefined)[] = [];
        for (let i = 0; inParts.length < all.length; i++) {
          const size = batches[i % batches.length] ?? 1;
          inParts.push(...parts.apply(all.slice(inParts.length, inParts.length + size)));
          parts.compactStep();
        }
        expect(plain(inParts)).toEqual(plain(results));
        expect(parts.hash()).toBe(whole.hash());
        while (whole.compactStep());
        const hash = parts.hash();
        expect(hash).toBe(whole.hash());
        await whole.close();
        await parts.close();
        const again = openKvStateMachine({ path, clusterId, retention });
        while (again.compactStep());
        expect(again.hash()).toBe(hash);
        await again.close();
      }),
      { numRuns: 40 },
    );
  });
});

describe('Commands in one entry', () => {
  const anyMutation = anyCommand.filter(
    ({ command: { kind } }) => kind === 'put' || kind === 'delete' || kind === 'txn',
  );

  it('do and give what each would in an entry of its own', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(anyMutation, { minLength: 2, maxLength: 40 }), async (commands) => {
        const apart = openKvStateMachine({ path: ':memory:', clusterId, retention });
        const together = openKvStateMachine({ path: ':memory:', clusterId, retention });
        const results = apart.apply(entries(1, commands));
        const encoder = new BatchEncoder();
        for (const command of commands) encoder.add(command);
        const [result] = together.apply([{ index: 1, term: 1, kind: 'command', payload: encoder.finish() }]);
        expect(plain(result)).toEqual(plain({ kind: 'batch', revision: apart.revision, results }));
        const all = (machine: KvStateMachine) => plain(machine.changes(2, 1000, 2 ** 30));
        expect(all(together)).toEqual(all(apart));
        await apart.close();
        await together.close();
      }),
      { numRuns: 100 },
    );
  });
});

describe('command codec', () => {
  it('gives every command back', () => {
    fc.assert(
      fc.property(anyCommand, (each) => {
        const back = decodeCommand(encodeCommand(each));
        expect(encodeCommand(back)).toEqual(encodeCommand(each));
        expect(plain(back)).toEqual(plain(each));
      }),
    );
  });

  it('takes any bytes for one command exactly, or refuses them', () => {
    const kinds = fc.constantFrom(1, 2, 4, 16, 17, 18, 19, 20, 21, 22, 23);
    const rest = fc.array(fc.oneof(fc.constantFrom(0, 1, 2, 3, 0x80), fc.nat(255)), { maxLength: 14 });
    let understood = 0;
    fc.assert(
      fc.property(kinds, rest, (kind, list) => {
        const payload = Uint8Array.from([2, 0, kind, ...list]);
        let decoded: Command;
        try {
          decoded = decodeCommand(payload);
        } catch (error) {
          expect(error).toMatchObject({ name: 'QuorateError', code: 'damaged' });
          return;
        }
        understood += 1;
        expect([...encodeCommand(decoded)]).toEqual([...payload]);
      }),
      { numRuns: 5000 },
    );
    expect(understood).toBeGreaterThan(100);
  });
});
