/** The checkers of the simulator on a cluster of cores, and what only such a cluster shows: its reads and its mirror of the log. */
import { simpleConfiguration, type MemberId, type Message, type Persist, type Update } from '../../src/raft';
import { History, sameEntry } from '../../src/sim/checkers/history';
import { LogMirror, type MemberView, type Seen } from '../../src/sim/checkers/member-view';
import { Watch } from '../../src/sim/checkers/watch';
import type { Seat } from './core-cluster';

/** What a run really did: a test asserts these, so that a run which did nothing fails. */
export interface Volume {
  elections: number;
  commits: number;
  /** Persists that removed entries of another leader. */
  truncations: number;
  restarts: number;
  loads: number;
  readsConfirmed: number;
  readsFailed: number;
  acknowledgements: number;
}

/** A seat, as the checkers want to see it. */
class SeatView implements MemberView {
  readonly id: MemberId;
  readonly log = new LogMirror();
  seen: Seen | undefined;
  before: Seen | undefined;
  readonly #seat: Seat;
  readonly #now: () => number;

  constructor(seat: Seat, now: () => number) {
    this.id = seat.id;
    this.#seat = seat;
    this.#now = now;
  }

  get disk(): MemberView['disk'] {
    const { hardState, entries } = this.#seat.disk;
    return { hardState, lastIndex: entries.length, entryAt: (index) => entries[index - 1] };
  }

  now(): number {
    return this.#now();
  }

  /** Time here moves without anybody acting on it, so nobody is ever late. */
  steadyMs(): number {
    return 0;
  }

  restart(): void {
    this.log.reload(this.disk, 1);
    this.seen = undefined;
    this.before = undefined;
  }

  look(): void {
    this.before = this.seen;
    this.seen = this.#seat.raft?.status;
  }
}

export class SafetyChecker {
  readonly #counts = { restarts: 0, loads: 0, readsConfirmed: 0, readsFailed: 0 };
  readonly #views = new Map<MemberId, SeatView>();
  readonly #history: History;
  readonly #watch: Watch;
  /** What was committed when each open read began. */
  readonly #reads = new Map<number, number>();
  #lastRead = 0;

  constructor(
    seats: ReadonlyMap<MemberId, Seat>,
    { now, electionTimeoutMs }: { readonly now: () => number; readonly electionTimeoutMs: number },
  ) {
    for (const [id, seat] of seats) this.#views.set(id, new SeatView(seat, now));
    this.#history = new History(this.#views, simpleConfiguration([...seats.keys()]));
    this.#watch = new Watch({ history: this.#history, electionTimeoutMs });
    this.#counts.restarts = -seats.size;
  }

  /** What was ever committed, by index - 1; kept over all crashes. */
  get committed(): History['committed'] {
    return this.#history.committed;
  }

  get volume(): Volume {
    const { elections, logs, promises } = this.#watch;
    return {
      ...this.#counts,
      elections: elections.elections,
      commits: this.committed.length,
      truncations: logs.truncations,
      acknowledgements: promises.acknowledgements,
    };
  }

  /** A number for a read; what is committed now must be visible to it. */
  beginRead(): number {
    this.#reads.set(++this.#lastRead, this.committed.length);
    return this.#lastRead;
  }

  afterRestart(seat: Seat): void {
    this.#counts.restarts++;
    const view = this.#view(seat);
    view.restart();
    this.#watch.started(view);
  }

  beforeReceive(seat: Seat, from: MemberId, message: Message): void {
    this.#watch.received(this.#view(seat), from, message);
  }

  beforePersist(seat: Seat, persist: Persist): void {
    const view = this.#view(seat);
    const first = persist.entries[0]?.index ?? Infinity;
    check(first > seat.applied.length, `${seat.id} removes no applied entry`);
    this.#watch.given(view, persist);
    view.log.take(persist);
  }

  afterWrite(seat: Seat, persist: Persist): void {
    this.#watch.durable(this.#view(seat), persist);
  }

  beforeSend(seat: Seat, to: MemberId, message: Message): void {
    this.#watch.sent(this.#view(seat), to, message);
  }

  afterUpdate(seat: Seat, update: Update): void {
    const view = this.#view(seat);
    this.#counts.loads += update.loads.length;
    view.look();
    this.#checkMirror(view);
    this.#watch.turned(view);
    this.#checkReads(update);
  }

  /** S5: every member applies the same entries, 1, 2, 3, and so on. */
  afterApply(seat: Seat, before: number): void {
    for (let at = before; at < seat.applied.length; at++) {
      const [entry, committed] = [seat.applied[at], this.committed[at]?.entry];
      check(sameEntry(entry, committed), `S5: ${seat.id} applies the committed entry at ${at + 1}`);
    }
  }

  /** Updates tell the whole truth: the log they describe is the log the core has. */
  #checkMirror({ id, log, seen }: SeatView): void {
    check(seen === undefined || seen.lastIndex === log.lastIndex, `${id} persists its whole log`);
  }

  /** K3: a confirmed read sees everything that was committed anywhere before it began. */
  #checkReads({ reads }: Update): void {
    for (const read of reads) {
      const committedBefore = this.#reads.get(read.id);
      check(committedBefore !== undefined, `read ${read.id} is answered once`);
      this.#reads.delete(read.id);
      if (!read.confirmed) {
        this.#counts.readsFailed++;
        continue;
      }
      this.#counts.readsConfirmed++;
      check(read.readIndex >= (committedBefore ?? 0), `K3: read ${read.id} sees what was committed before it`);
    }
  }

  #view({ id }: Seat): SeatView {
    const view = this.#views.get(id);
    if (view === undefined) throw new Error(`no member ${id}`);
    return view;
  }
}

function check(condition: boolean, sentence: string): void {
  if (!condition) throw new Error(`safety: ${sentence}`);
}
