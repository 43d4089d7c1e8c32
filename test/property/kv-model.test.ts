/** The key-value state machine against a plain Map. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import type { Command } from '../../src/kv/command';
import { decodeCommand, encodeCommand } from '../../src/kv/command-codec';
import type { KeyRecord, RangePage, RangeQuery, Result } from '../../src/kv/result';
import { openKvStateMachine } from '../../src/kv/state-machine';
import { entries, noOp } from '../support/kv-entries';

/** Says the same as the store, slowly and without SQLite or an index. */
class Model {
  revision = 1;
  readonly #records = new Map<string, KeyRecord>();

  apply(command: Command | typeof noOp): Result | undefined {
    if (command === noOp) return undefined;
    const name = Buffer.from(command.key).toString('hex');
    const existing = this.#records.get(name);
    if (command.kind === 'delete') {
      if (this.#records.delete(name)) this.revision++;
      return { kind: 'delete', revision: this.revision, deleted: existing !== undefined };
    }
    const modRevision = ++this.revision;
    const createRevision = existing?.createRevision ?? modRevision;
    const version = (existing?.version ?? 0) + 1;
    const { key, value, form } = command;
    this.#records.set(name, { key, value, form, createRevision, modRevision, version });
    return { kind: 'put', revision: modRevision, createRevision, version };
  }

  get(key: Uint8Array): KeyRecord | undefined {
    return this.#records.get(Buffer.from(key).toString('hex'));
  }

  range({ start, end, limit, maxBytes, keysOnly }: RangeQuery): RangePage {
    const inRange = [...this.#records.values()]
      .filter(({ key }) => Buffer.compare(key, start) >= 0 && (end === undefined || Buffer.compare(key, end) < 0))
      .sort((a, b) => Buffer.compare(a.key, b.key))
      .map((record) => (keysOnly ? { ...record, value: new Uint8Array(0) } : record));
    let count = 0;
    let total = 0;
    for (const { key, value } of inRange.slice(0, limit)) {
      total += key.length + value.length;
      if (count > 0 && total > maxBytes) break;
      count++;
    }
    return { records: inRange.slice(0, count), more: count < inRange.length };
  }
}

// Few and short keys, so that they meet; bytes at the ends of the range, so that their order matters.
const keyByte = fc.constantFrom(0, 0x61, 0x62, 0x7f, 0x80, 0xc3, 0xff);
const key = fc.array(keyByte, { minLength: 1, maxLength: 3 }).map((list) => Uint8Array.from(list));
const value = fc.uint8Array({ maxLength: 40 });
const command: fc.Arbitrary<Command> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('put' as const),
      key,
      value,
      form: fc.constantFrom('text' as const, 'bytes' as const),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('delete' as const), key }) },
);
const rangeQuery: fc.Arbitrary<RangeQuery> = fc.record({
  start: fc.oneof(key, fc.constant(new Uint8Array(0))),
  end: fc.option(key, { nil: undefined }),
  limit: fc.integer({ min: 1, max: 12 }),
  maxBytes: fc.integer({ min: 0, max: 200 }),
  keysOnly: fc.boolean(),
});
const step = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('apply' as const),
      commands: fc.array(
        fc.oneof({ weight: 9, arbitrary: command }, { weight: 1, arbitrary: fc.constant<typeof noOp>(noOp) }),
        { minLength: 1, maxLength: 8 },
      ),
    }),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('range' as const), query: rangeQuery }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('get' as const), key }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('reopen' as const) }) },
);

const plain = (record: KeyRecord | undefined): unknown =>
  record && { ...record, key: [...record.key], value: [...record.value] };
const plainPage = (page: RangePage): unknown => ({ more: page.more, records: page.records.map(plain) });

describe('key-value state machine against a Map', () => {
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'quorate-kv-model-'));
  });
  afterEach(() => {
    rmSync(directory, { recursive: true });
  });

  it('gives the same results, reads and revisions, whenever it is opened again', () => {
    let run = 0;
    const done = { apply: 0, range: 0, get: 0, reopen: 0 };
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 30 }), (steps) => {
        const options = { path: join(directory, `${String(run++)}.db`), clusterId: 1n };
        const model = new Model();
        let machine = openKvStateMachine(options);
        for (const next of steps) {
          done[next.kind]++;
          if (next.kind === 'apply') {
            const results = machine.apply(entries(machine.appliedIndex + 1, next.commands));
            expect(results).toEqual(next.commands.map((each) => model.apply(each)));
          } else if (next.kind === 'range') {
            expect(plainPage(machine.range(next.query))).toEqual(plainPage(model.range(next.query)));
          } else if (next.kind === 'get') {
            expect(plain(machine.get(next.key))).toEqual(plain(model.get(next.key)));
          } else {
            const hash = machine.hash();
            void machine.close();
            machine = openKvStateMachine(options);
            expect(machine.hash()).toBe(hash);
          }
          expect(machine.revision).toBe(model.revision);
        }
        void machine.close();
      }),
      { numRuns: 100 },
    );
    // About 80 of the rarest are expected.
    expect(Math.min(...Object.values(done))).toBeGreaterThan(20);
  });

  it('has the same hash whatever the batches are, on disk and in memory (invariant N5)', () => {
    let run = 0;
    const batches = fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1, maxLength: 10 });
    fc.assert(
      fc.property(fc.array(command, { minLength: 1, maxLength: 60 }), batches, (commands, sizes) => {
        const all = entries(1, commands);
        const whole = openKvStateMachine({ path: ':memory:', clusterId: 1n });
        const parts = openKvStateMachine({ path: join(directory, `${String(run++)}.db`), clusterId: 1n });
        const results = whole.apply(all);
        const inParts: (Result | undefined)[] = [];
        for (let i = 0; inParts.length < all.length; i++) {
          const size = sizes[i % sizes.length] ?? 1;
          inParts.push(...parts.apply(all.slice(inParts.length, inParts.length + size)));
        }
        expect(inParts).toEqual(results);
        expect(parts.hash()).toBe(whole.hash());
        void whole.close();
        void parts.close();
      }),
      { numRuns: 40 },
    );
  });
});

describe('command codec', () => {
  it('gives every command back', () => {
    fc.assert(
      fc.property(command, (each) => {
        const back = decodeCommand(encodeCommand(each));
        expect(encodeCommand(back)).toEqual(encodeCommand(each));
        expect(Buffer.from(back.key)).toEqual(Buffer.from(each.key));
        expect({ ...back, key: [], value: [] }).toEqual({ ...each, key: [], value: [] });
      }),
    );
  });

  it('takes any bytes for one command exactly, or refuses them', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.constantFrom(0, 1, 2, 3, 0x80), fc.nat(255)), { maxLength: 12 }), (list) => {
        const payload = Uint8Array.from(list);
        let decoded: Command;
        try {
          decoded = decodeCommand(payload);
        } catch (error) {
          expect(error).toMatchObject({ name: 'QuorateError', code: 'damaged' });
          return;
        }
        expect([...encodeCommand(decoded)]).toEqual(list);
      }),
      { numRuns: 2000 },
    );
  });
});
