/** A history of changes in memory, which tells a listener as the state machine does, and turns of an event loop by hand. */
import { assert, required } from '../../src/base/assert';
import type { Scheduler, Timer } from '../../src/base/clock';
import { QuorateError } from '../../src/base/error';
import type { ApplyListener, Change, KeyRecord, KvReader, RangePage, RangeQuery } from '../../src/kv/result';

/** One change to make: a put of `value`, or a delete without one. */
export interface Write {
  readonly key: string;
  readonly value?: string;
}

/** What the hub reads, and the whole history for comparison. */
export class FakeHistory implements Pick<KvReader, 'revision' | 'compactRevision' | 'get' | 'range' | 'changes'> {
  revision = 1;
  compactRevision = 0;
  /** Everything that ever happened, also what is compacted. */
  readonly all: Change[] = [];
  /** How often changes were read. */
  reads = 0;
  listener: ApplyListener | undefined;

  /** Makes revisions, each of some writes, and tells of them together. Deletes of keys that are not there do nothing. */
  commit(...revisions: (readonly Write[])[]): void {
    const changes = revisions.flatMap((writes) => this.#make(writes));
    if (changes.length > 0) this.listener?.onChanges(changes);
  }

  /** As a snapshot that is installed: revisions that nobody was told of. */
  replace(...revisions: (readonly Write[])[]): void {
    for (const writes of revisions) this.#make(writes);
    this.listener?.onReplaced();
  }

  compact(revision: number): void {
    assert(
      revision > this.compactRevision && revision <= this.revision,
      'a compaction goes forward, not beyond the end',
    );
    this.compactRevision = revision;
    this.listener?.onCompacted(revision);
  }

  get(key: Uint8Array, revision = 0): KeyRecord | undefined {
    const at = revision === 0 ? this.revision : revision;
    if (at < this.compactRevision) throw new QuorateError('compacted', 'compacted');
    return this.recordAt(key, at);
  }

  range({ start, end, revision, limit }: RangeQuery): RangePage {
    const at = revision === 0 ? this.revision : revision;
    if (at < this.compactRevision) throw new QuorateError('compacted', 'compacted');
    const there = new Map<string, KeyRecord>();
    for (const change of this.all.filter((one) => one.revision <= at)) {
      const name = Buffer.from(change.record.key).toString('latin1');
      if (change.kind === 'put') there.set(name, change.record);
      else there.delete(name);
    }
    const records = [...there.values()]
      .filter(({ key }) => Buffer.compare(key, start) >= 0 && (end === undefined || Buffer.compare(key, end) < 0))
      .sort((a, b) => Buffer.compare(a.key, b.key));
    return { records: records.slice(0, limit), more: records.length > limit };
  }

  /** The record of a key at a revision, whatever was compacted. */
  recordAt(key: Uint8Array, revision: number): KeyRecord | undefined {
    const last = this.all.findLast(
      (change) => change.revision <= revision && Buffer.compare(change.record.key, key) === 0,
    );
    return last?.kind === 'put' ? last.record : undefined;
  }

  changes(fromRevision: number, maxChanges: number, maxBytes: number): readonly Change[] {
    this.reads++;
    if (fromRevision < this.compactRevision) throw new QuorateError('compacted', 'compacted');
    const first = this.all.findIndex(({ revision }) => revision >= fromRevision);
    if (first < 0) return [];
    let bytes = 0;
    let end = first;
    for (let at = first; at < this.all.length; at++) {
      const { record, revision } = required(this.all[at], 'it is within the history');
      bytes += record.key.length + record.value.length;
      if (end > first && (at - first >= maxChanges || bytes > maxBytes)) break;
      if (this.all[at + 1]?.revision !== revision) end = at + 1;
    }
    return this.all.slice(first, end);
  }

  #make(writes: readonly Write[]): readonly Change[] {
    const revision = this.revision + 1;
    const before = this.revision;
    const changes: Change[] = [];
    for (const { key: name, value } of writes) {
      const key = Buffer.from(name);
      const existing = this.recordAt(key, before);
      if (value === undefined && existing === undefined) continue;
      const createRevision = existing?.createRevision ?? revision;
      const version = (existing?.version ?? 0) + 1;
      const empty = { key, value: Buffer.alloc(0), form: 'bytes', createRevision: 0, version: 0 } as const;
      const put = { key, value: Buffer.from(value ?? ''), form: 'text', createRevision, version } as const;
      const record = { ...(value === undefined ? empty : put), modRevision: revision, lease: 0n };
      changes.push({ revision, sub: changes.length, kind: value === undefined ? 'delete' : 'put', record });
    }
    if (changes.length > 0) this.revision = revision;
    this.all.push(...changes);
    return changes;
  }
}

/** Turns of an event loop, each run by hand; each takes a millisecond. */
export class FakeTurns implements Scheduler {
  readonly #callbacks: (() => void)[] = [];
  readonly #timers = new Set<{ readonly due: number; readonly callback: () => void }>();
  #now = 0;

  /** Whether anything waits for a turn or for its time. */
  get isIdle(): boolean {
    return this.#callbacks.length === 0 && this.#timers.size === 0;
  }

  now(): number {
    return this.#now;
  }

  after(delayMs: number, callback: () => void): Timer {
    const timer = { due: this.#now + delayMs, callback };
    this.#timers.add(timer);
    return { cancel: () => void this.#timers.delete(timer) };
  }

  atEndOfTurn(callback: () => void): void {
    this.#callbacks.push(callback);
  }

  /** Ends the turn: runs what waits for that and what is due, not what these in turn ask for. */
  end(): void {
    this.#now++;
    const callbacks = this.#callbacks.splice(0);
    for (const timer of [...this.#timers].filter(({ due }) => due <= this.#now)) {
      this.#timers.delete(timer);
      timer.callback();
    }
    for (const callback of callbacks) callback();
  }

  /** Runs turns until nothing waits any more. */
  settle(maxTurns = 10_000): void {
    for (let turn = 0; !this.isIdle; turn++) {
      assert(turn < maxTurns, 'the turns come to an end');
      this.end();
    }
  }
}
