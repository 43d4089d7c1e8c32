/** `MaintenanceService.HashKv`: a hash of everything up to a revision, to compare members by. */
import { QuorateError } from '../../../base/error';
import type { HashKvRequest, HashKvResponse } from '../../../gen/quorate/v1/maintenance';
import type { KvReader } from '../../../kv/result';
import { checkedRevision } from '../../validate';

/** Hashes one at a time: each reads the whole store. */
export class Hasher {
  readonly #reader: Pick<KvReader, 'hashKv'>;
  #isBusy = false;

  constructor(reader: Pick<KvReader, 'hashKv'>) {
    this.#reader = reader;
  }

  /** @throws QuorateError `invalid-argument`, `overloaded`, `compacted`, `future-revision` */
  async hashKv(request: HashKvRequest): Promise<HashKvResponse> {
    const revision = checkedRevision('revision', request.revision);
    if (this.#isBusy) {
      throw new QuorateError('overloaded', 'this member is making a hash; it makes one at a time', {
        details: { limit: '1 at a time', actual: '1 under way', retryAfterMs: 1000 },
      });
    }
    this.#isBusy = true;
    try {
      return await this.#reader.hashKv(revision);
    } finally {
      this.#isBusy = false;
    }
  }
}
