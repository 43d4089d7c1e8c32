/** Takes in a state that the leader sends, and has it installed if the core wants it (§7). */
import { QuorateError } from '../base/error';
import type { Logger } from '../base/logger';
import type { MemberId, SnapshotDescription, SnapshotReceiver, StateMachine } from '../raft';
import type { SnapshotOffer, SnapshotSink } from '../transport/transport';
import type { Driver } from './driver';

/** What the reception works with. */
export interface SnapshotReceptionParts {
  readonly stateMachine: Pick<StateMachine<unknown>, 'receiveSnapshot'>;
  readonly logger: Logger;
  readonly driver: Pick<Driver<unknown>, 'post' | 'status'>;
}

/** A whole snapshot, of which the core was told. */
interface Arrived {
  readonly description: SnapshotDescription;
  readonly receiver: SnapshotReceiver;
}

/** One snapshot at a time: arriving, then arrived, then installed or discarded. */
export class SnapshotReception {
  readonly #parts: SnapshotReceptionParts;
  #arrived: Arrived | undefined;
  /** The arrived one is being installed: nothing else is taken in. */
  #isInstalling = false;

  constructor(parts: SnapshotReceptionParts) {
    this.#parts = parts;
  }

  /**
   * A peer offers a snapshot.
   *
   * @throws QuorateError `superseded` when this member needs it no more; `overloaded` while another one is installed
   */
  async accept(from: MemberId, offer: SnapshotOffer): Promise<SnapshotSink> {
    this.#refuseUseless(offer);
    if (this.#arrived !== undefined) throw new QuorateError('overloaded', 'another snapshot is being installed');
    const { description, sizeBytes, sha256, term } = offer;
    const { last } = description;
    this.#parts.logger.info({ from, index: last.index, sizeBytes }, 'receiving a snapshot');
    const receiver = await this.#parts.stateMachine.receiveSnapshot({
      last,
      sizeBytes,
      sha256: Buffer.from(sha256).toString('hex'),
    });
    return {
      write: (bytes) => receiver.write(bytes),
      finish: async () => {
        await receiver.finish();
        this.#arrived = { description, receiver };
        this.#parts.driver.post({
          kind: 'receive',
          from,
          message: { kind: 'install-snapshot', term, snapshot: description },
        });
      },
      abort: () => {
        this.#parts.logger.warn({ from, index: last.index }, 'a snapshot broke off');
        void receiver.discard();
      },
    };
  }

  /** The core's turn is over: it wants the snapshot that arrived before it installed, or it does not need it. */
  onTurn(install: SnapshotDescription | undefined): void {
    if (this.#arrived === undefined || this.#isInstalling) return;
    if (install === this.#arrived.description) {
      this.#isInstalling = true;
      return;
    }
    void this.#arrived.receiver.discard();
    this.#arrived = undefined;
  }

  /** The snapshot is the state now. */
  onInstalled(): void {
    this.#arrived = undefined;
    this.#isInstalling = false;
  }

  #refuseUseless({ term, description: { last } }: SnapshotOffer): void {
    const { term: ownTerm, commitIndex } = this.#parts.driver.status;
    if (term < ownTerm) throw new QuorateError('superseded', `term ${term} of the snapshot's leader is over`);
    if (last.index <= commitIndex) {
      throw new QuorateError('superseded', `the entries up to ${last.index} are here already`);
    }
  }
}
