/** W1 to W8 and W10: whatever a watch is told is what the order of commits holds from its start on, all of it, once. */
import type { Change, KeyRecord } from '../../kv/result';
import type { WatchBatch, WatchEvent } from '../../kv/watch';
import { changeText, latin1, recordText } from '../model/result-text';
import type { WatchSession } from '../workload/watcher';
import { check } from './checker';
import type { ModelChecker } from './model';

export class WatchingChecker {
  readonly names = ['W1', 'W2', 'W3', 'W4', 'W5', 'W6', 'W7', 'W8', 'W10'];
  events = 0;
  sessions = 0;
  readonly #model: ModelChecker;
  /** Up to which revision each was told everything. */
  readonly #positions = new WeakMap<WatchSession, number>();

  constructor(model: ModelChecker) {
    this.#model = model;
  }

  opened(session: WatchSession): void {
    const { request, watch } = session;
    this.sessions++;
    const isRight = request.startRevision === 0 || watch.startRevision === request.startRevision;
    check(isRight, 'W5', () => `a watch from ${request.startRevision} on begins at ${watch.startRevision}`);
    this.#positions.set(session, watch.startRevision - 1);
  }

  took(session: WatchSession, batch: WatchBatch | undefined): void {
    if (batch?.kind === 'compacted') {
      this.#checkCompacted(session, batch.compactRevision);
      return;
    }
    const position = this.#positions.get(session) ?? 0;
    const given = batch?.events ?? [];
    const revision = batch?.revision ?? session.watch.revision;
    check(revision >= position, 'W6', () => `${nameOf(session)} falls from ${position} back to ${revision}`);
    const { store } = this.#model;
    const isPossible = revision <= Math.max(store.revision, session.watch.startRevision - 1);
    check(isPossible, 'W8', () => `${nameOf(session)} is told of ${revision}, which is not committed`);
    this.#checkEvents(session, given, { position, revision });
    this.events += given.length;
    this.#positions.set(session, revision);
    check(session.watch.revision >= revision, 'W6', () => `${nameOf(session)} forgets that it was told of ${revision}`);
  }

  #checkEvents(
    session: WatchSession,
    events: readonly WatchEvent[],
    { position, revision }: { readonly position: number; readonly revision: number },
  ): void {
    const expected = this.#wanted(session, position, revision);
    const texts = events.map(({ change }) => changeText(change));
    const wanted = expected.map(changeText);
    if (texts.join() !== wanted.join()) {
      const name = this.#whatIsWrong(events, position, wanted);
      check(false, name, () => `${nameOf(session)} is told ${texts.join('; ')} instead of ${wanted.join('; ')}`);
    }
    if (session.request.withPrevious) for (const event of events) this.#checkPrevious(session, event);
  }

  #whatIsWrong(events: readonly WatchEvent[], position: number, wanted: readonly string[]): string {
    const revisions = events.map(({ change }) => change.revision);
    if (revisions.some((revision, at) => revision < (revisions[at - 1] ?? 0))) return 'W1';
    if (revisions.some((revision) => revision <= position)) return 'W10';
    const texts = events.map(({ change }) => changeText(change));
    if (new Set(texts).size < texts.length) return 'W2';
    const isMissing = wanted.some((text) => !texts.includes(text));
    const last = revisions.at(-1);
    if (isMissing && wanted.some((text) => !texts.includes(text) && text.startsWith(`${last}.`))) return 'W4';
    return isMissing ? (events.length === 0 ? 'W6' : 'W3') : 'W7';
  }

  /** What it should be told of the revisions after `position` up to `revision`. */
  #wanted({ request }: WatchSession, position: number, revision: number): readonly Change[] {
    const { changes } = this.#model.store;
    const start = latin1(request.range.start);
    const end = request.range.end && latin1(request.range.end);
    const wanted: Change[] = [];
    for (let at = position + 1; at <= revision; at++) {
      for (const change of changes[at] ?? []) {
        const key = latin1(change.record.key);
        if (key < start || (end !== undefined && key >= end)) continue;
        if (change.kind === 'put' ? !request.withoutPuts : !request.withoutDeletes) wanted.push(change);
      }
    }
    return wanted;
  }

  #checkPrevious(session: WatchSession, { change, previous }: WatchEvent): void {
    const { store } = this.#model;
    const { revision, record } = change;
    const name = latin1(record.key);
    // What came before within the same revision is nobody's previous record.
    const isAlone = store.changes[revision]?.filter((other) => latin1(other.record.key) === name).length === 1;
    const before = store.everAt(revision - 1).get(name);
    if (!isAlone || mayBeGone(before, previous, store.compactRevision)) return;
    check(recordText(previous) === recordText(before), 'W7', () => {
      return `${nameOf(session)} is told that ${name} was ${recordText(previous)} before ${revision}: ${recordText(before)}`;
    });
  }

  #checkCompacted(session: WatchSession, compactRevision: number): void {
    const wanted = (this.#positions.get(session) ?? 0) + 1;
    const actual = this.#model.store.compactRevision;
    const isRight = wanted < compactRevision && compactRevision <= actual;
    check(isRight, 'W5', () => `${nameOf(session)} wants ${wanted} and hears that ${compactRevision} is compacted`);
  }
}

/** A record that is compacted need not be told. */
function mayBeGone(before: KeyRecord | undefined, told: KeyRecord | undefined, compactRevision: number): boolean {
  return told === undefined && before !== undefined && before.modRevision <= compactRevision;
}

function nameOf({ watcher, life, request }: WatchSession): string {
  return `the watch of ${watcher} at ${life} from ${request.startRevision} on`;
}
