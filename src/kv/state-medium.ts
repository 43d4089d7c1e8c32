/** Where the state database lives, and how a copy of it is made, taken in and switched to. */
import type { LogPosition, Snapshot, SnapshotOffer, SnapshotReceiver } from '../raft';
import type { KvState } from './kv-state';
import type { CheckedRows, RowRange } from './row-check';
import type { SqliteStore } from './sqlite-store';
import type { Vacuumed } from './sqlite-vacuum';

/** A place for one state database. It knows files or buffers, not keys. */
export interface StateMedium {
  /** Opens the state as it was left. */
  open(): SqliteStore;
  /** True if a snapshot that ends exactly at `last` was taken in completely and waits to become the state. */
  hasReceived(last: LogPosition): boolean;
  /** Opens such a snapshot beside the state, to read it. */
  openReceived(last: LogPosition): SqliteStore;
  /** Removes every snapshot that waits. */
  removeReceived(): void;
  /**
   * Takes note of a write to the state, and commits it: now, or soon, together with others.
   *
   * @throws QuorateError `damaged` when work behind the scenes has failed
   */
  onWritten(bytes: number): void;
  /** Makes the state durable; resolves with the applied index that survives. */
  checkpoint(): Promise<number>;
  /** Gives a bounded number of free pages back. Holds up no write noticeably. */
  vacuum(): Promise<Vacuumed>;
  takeSnapshot(): Promise<Snapshot>;
  receiveSnapshot(offer: SnapshotOffer): Promise<SnapshotReceiver>;
  /** Checks the first rows of a range. Holds up no write noticeably. */
  checkRows(range: RowRange): Promise<CheckedRows>;
  /** Lets go of the state: afterwards only its caller has it open. To be followed by `switchTo`. */
  prepareSwitch(): Promise<void>;
  /** Closes `old`, and puts the received snapshot in its place; durable on return. */
  switchTo(last: LogPosition, old: SqliteStore): SqliteStore;
  /**
   * Closes the state and gives everything back.
   *
   * @param whole what is in memory says the same as the store, so that the next opening may begin with it
   */
  close(state: KvState, whole: boolean): Promise<void>;
}
