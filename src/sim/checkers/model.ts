/** The store as a plain map, fed with the committed entries: what every member and every client must see. */
import { assert } from '../../base/assert';
import type { Entry } from '../../raft';
import { commandOf } from '../../node/proposal-codec';
import { decodeCommand } from '../../kv/command-codec';
import { isSingleKey } from '../../kv/key-range';
import type { DeleteOperation, PlainCommand, PutOperation } from '../../kv/command';
import { check, type Checker } from './checker';

/** A key as it stands, or stood. */
export interface ModelRecord {
  readonly value: string;
  readonly createRevision: number;
  readonly modRevision: number;
  readonly version: number;
}

/** What one key became, and with which entry. */
interface Change {
  readonly index: number;
  readonly revision: number;
  /** `undefined`: removed. */
  readonly record: ModelRecord | undefined;
}

/** What one revision did. */
export interface Mutation {
  readonly kind: 'put' | 'delete';
  readonly key: string;
  readonly value: string;
}

/** D2 a call that surely failed has no effect, D3 a proposal has one effect at most; and the reference for K1 and K2. */
export class ModelChecker implements Checker {
  readonly names = ['D2', 'D3'];
  readonly #changes = new Map<string, Change[]>();
  /** By index - 1. */
  readonly #revisions: number[] = [];
  /** By revision. */
  readonly #mutations: (Mutation | undefined)[] = [];
  readonly #proposals = new Set<string>();
  readonly #values = new Set<string>();
  readonly #forbidden = new Set<string>();
  #revision = 1;

  get lastIndex(): number {
    return this.#revisions.length;
  }

  committed(entry: Entry): void {
    if (entry.kind === 'command') this.#apply(entry);
    this.#revisions.push(this.#revision);
  }

  /** A client was told that this value was surely not written. */
  forbid(value: string): void {
    this.#forbidden.add(value);
    check(!this.#values.has(value), 'D2', () => `${value} was committed, and its client told that it was not written`);
  }

  revisionAt(index: number): number {
    return this.#revisions[index - 1] ?? 1;
  }

  mutationOf(revision: number): Mutation | undefined {
    return this.#mutations[revision];
  }

  /** The key after entry `index`. */
  at(index: number, key: string): ModelRecord | undefined {
    return this.#changes.get(key)?.findLast((change) => change.index <= index)?.record;
  }

  /** The key after revision `revision`. */
  atRevision(revision: number, key: string): ModelRecord | undefined {
    return this.#changes.get(key)?.findLast((change) => change.revision <= revision)?.record;
  }

  /** The keys that ever were, in order. */
  keys(): readonly string[] {
    return [...this.#changes.keys()].sort();
  }

  #apply(entry: Entry): void {
    const proposal = Buffer.from(entry.payload.subarray(0, 16)).toString('latin1');
    check(!this.#proposals.has(proposal), 'D3', () => `entry ${entry.index} repeats a proposal`);
    this.#proposals.add(proposal);
    this.#change(entry.index, decodeCommand(commandOf(entry.payload)).command);
  }

  #change(index: number, command: PlainCommand): void {
    switch (command.kind) {
      case 'put':
        this.#put(index, command);
        return;
      case 'delete':
        this.#delete(index, command);
        return;
      default:
        assert(false, 'clients of the simulator put and delete');
    }
  }

  #delete(index: number, { range }: DeleteOperation): void {
    assert(isSingleKey(range), 'clients of the simulator delete single keys');
    const key = Buffer.from(range.start).toString();
    const changes = this.#changes.get(key);
    if (changes?.at(-1)?.record === undefined) return;
    this.#revision++;
    changes.push({ index, revision: this.#revision, record: undefined });
    this.#mutations[this.#revision] = { kind: 'delete', key, value: '' };
  }

  #put(index: number, command: PutOperation): void {
    const key = Buffer.from(command.key).toString();
    const changes = this.#changes.get(key) ?? [];
    const existing = changes.at(-1)?.record;
    const value = Buffer.from(command.value).toString();
    check(!this.#forbidden.has(value), 'D2', () => `${value} is committed after its client was told that it is not`);
    this.#values.add(value);
    const modRevision = ++this.#revision;
    const version = (existing?.version ?? 0) + 1;
    const record = { value, createRevision: existing?.createRevision ?? modRevision, modRevision, version };
    changes.push({ index, revision: modRevision, record });
    this.#changes.set(key, changes);
    this.#mutations[modRevision] = { kind: 'put', key, value };
  }
}
