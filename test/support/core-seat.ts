/** One member of a core cluster: its core while it runs, its disk, and what waits between them. */
import type { Configuration, ConfigurationAt, Entry, HardState, Load, MemberId, Message } from '../../src/raft';
import type { Persist, Raft, Update } from '../../src/raft';

/** What leaves a member: a message, and with `install-snapshot` the state it speaks of. */
export interface Parcel {
  readonly to: MemberId;
  readonly message: Message;
  /** A state is what was applied, in order. */
  readonly state?: readonly Entry[];
}

/** A message on the wire. */
export interface Packet extends Parcel {
  readonly from: MemberId;
}

/** What a power cut leaves. */
export interface Disk {
  hardState: HardState;
  /**
   * Every entry the member ever had or was sent a state of, the first at place 0: what the log no longer holds (below
   * `firstIndex`) is kept for the checker only.
   */
  entries: Entry[];
  firstIndex: number;
  /** The configuration at the beginning of the log. */
  configuration: ConfigurationAt;
}

/** What waits for the disk, oldest first; and for the driver, what became of a snapshot. */
export type DiskJob =
  | { readonly kind: 'persist'; readonly persist: Persist; readonly state: readonly Entry[] }
  | { readonly kind: 'load'; readonly load: Load }
  | {
      readonly kind: 'snapshot-sent';
      readonly peer: MemberId;
      readonly lastIndex: number;
      readonly delivered: boolean;
    };

/** One member: its core while it runs, its disk for ever. */
export interface Seat {
  readonly id: MemberId;
  readonly disk: Disk;
  raft: Raft | undefined;
  /** The log as handed out in updates, durable or not. */
  log: Entry[];
  /** What the state machine was given, in order. */
  applied: Entry[];
  queue: DiskJob[];
  /** Messages that wait until the hard state of the numbered persist is durable. */
  outbox: { readonly parcel: Parcel; readonly after: number }[];
  durableSequence: number;
  hardStateSequence: number;
  /** The persist that brings a new state: until it is durable nothing is applied. */
  installing: number | undefined;
  /** Peers a snapshot is on its way to. */
  readonly sending: Set<MemberId>;
}

/** What a test may want to tell about. */
export interface Observer {
  delivered?(packet: Packet): void;
  lost?(packet: Packet): void;
  updated?(seat: Seat, update: Update): void;
  written?(seat: Seat, persist: Persist): void;
}

export function emptySeat(id: MemberId, disk: Disk): Seat {
  const volatile = { raft: undefined, log: [], applied: [], queue: [], outbox: [] };
  const installing = undefined;
  return { id, disk, ...volatile, durableSequence: 0, hardStateSequence: 0, installing, sending: new Set() };
}

export function emptyDisk(configuration: Configuration): Disk {
  return {
    hardState: { term: 0, votedFor: undefined },
    entries: [],
    firstIndex: 1,
    configuration: { index: 0, configuration, context: new Uint8Array() },
  };
}

/** Appends to a log; whatever it holds from the first one's index on is removed first. */
export function replaceSuffix(log: Entry[], entries: readonly Entry[]): void {
  const [first] = entries;
  if (first === undefined) return;
  if (first.index > log.length + 1) throw new Error('a persist leaves no gap in the log');
  log.splice(first.index - 1, Infinity, ...entries);
}

/** The name of what connects two members in one direction. */
export function link(from: MemberId, to: MemberId): string {
  return `${from}>${to}`;
}
