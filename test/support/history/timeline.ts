/** The whole history of a store, from the events of a watch that missed none: how every key stood at every revision. */
import type { KeyRecord } from '../../../src/kv/result';
import { latin1 } from '../../../src/sim/model/result-text';
import { required } from '../../../src/base/assert';
import type { WatchedEvent } from './watch-log';

/** How a key stands from a revision on. */
interface Version {
  readonly revision: number;
  /** `undefined`: it is not there. */
  readonly record: KeyRecord | undefined;
}

export class Timeline {
  readonly #versions = new Map<string, Version[]>();
  /** The keys of each group. */
  readonly #keys = new Map<string, string[]>();
  readonly #changes = new Map<number, WatchedEvent[]>();
  readonly lastRevision: number;

  /** @param events in order */
  constructor(events: readonly WatchedEvent[]) {
    for (const event of events) {
      const { revision, kind, record } = event;
      const key = latin1(record.key);
      let versions = this.#versions.get(key);
      if (versions === undefined) {
        this.#versions.set(key, (versions = []));
        const keys = this.#keys.get(groupOf(key)) ?? [];
        keys.push(key);
        this.#keys.set(groupOf(key), keys);
      }
      versions.push({ revision, record: kind === 'put' ? record : undefined });
      const changes = this.#changes.get(revision);
      if (changes === undefined) this.#changes.set(revision, [event]);
      else changes.push(event);
    }
    this.lastRevision = events.at(-1)?.revision ?? 1;
  }

  /** Every revision that changed something, ascending. */
  get revisions(): readonly number[] {
    return [...this.#changes.keys()];
  }

  /** What a revision changed; nothing for the first, which an empty store has. */
  changesAt(revision: number): readonly WatchedEvent[] {
    return this.#changes.get(revision) ?? [];
  }

  /** The keys of a group as they were at a revision. */
  groupAt(group: string, revision: number): ReadonlyMap<string, KeyRecord> {
    const live = new Map<string, KeyRecord>();
    for (const key of this.#keys.get(group) ?? []) {
      const record = this.keyAt(key, revision);
      if (record !== undefined) live.set(key, record);
    }
    return live;
  }

  keyAt(key: string, revision: number): KeyRecord | undefined {
    return this.#versionAt(key, revision)?.record;
  }

  /** The first revision above this one that changed a key; `Infinity` for none. */
  nextChange(key: string, revision: number): number {
    const versions = this.#versions.get(key) ?? [];
    return versions[indexAfter(versions, revision)]?.revision ?? Infinity;
  }

  #versionAt(key: string, revision: number): Version | undefined {
    const versions = this.#versions.get(key) ?? [];
    return versions[indexAfter(versions, revision) - 1];
  }
}

/** What the keys have in common that one operation may speak of: what stands between the first letter and the slash. */
export function groupOf(key: string): string {
  return key.slice(1, key.indexOf('/'));
}

/** Where the versions later than a revision begin. */
function indexAfter(versions: readonly Version[], revision: number): number {
  let low = 0;
  for (let high = versions.length; low < high;) {
    const middle = (low + high) >>> 1;
    if (required(versions[middle], 'in bounds').revision <= revision) low = middle + 1;
    else high = middle;
  }
  return low;
}
