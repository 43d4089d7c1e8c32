/** Counts and hashes the bytes of a snapshot on their way in, wherever they go. */
import { createHash } from 'node:crypto';
import { assert } from '../base/assert';
import type { SnapshotOffer } from '../raft';
import { notAsOffered } from './snapshot-failure';

/** What has come of one offered snapshot. */
export class ReceivedBytes {
  readonly #offer: SnapshotOffer;
  readonly #hash = createHash('sha256');
  #count = 0;

  constructor(offer: SnapshotOffer) {
    assert(Number.isSafeInteger(offer.sizeBytes) && offer.sizeBytes >= 0, 'a size is a whole number');
    this.#offer = offer;
  }

  /** How many have come: where the next ones belong. */
  get count(): number {
    return this.#count;
  }

  /** @throws QuorateError `snapshot-failed` when more come than were offered */
  add(bytes: Uint8Array): void {
    const { sizeBytes } = this.#offer;
    if (this.#count + bytes.length > sizeBytes) throw notAsOffered('size', sizeBytes, this.#count + bytes.length);
    this.#count += bytes.length;
    this.#hash.update(bytes);
  }

  /** Once, after the last byte. @throws QuorateError `snapshot-failed` unless they are those that were offered (N6) */
  check(): void {
    const { sizeBytes, sha256 } = this.#offer;
    if (this.#count !== sizeBytes) throw notAsOffered('size', sizeBytes, this.#count);
    const found = this.#hash.digest('hex');
    if (found !== sha256) throw notAsOffered('SHA-256', sha256, found);
  }
}
