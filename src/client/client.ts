/** A client of a quorate cluster: finds a member that answers, tries again where that is safe, tells how sure it is. */
import { Caller } from './caller';
import { ClusterVerbs } from './cluster';
import { ElectionVerbs } from './elections';
import { KeyVerbs } from './keys';
import { LeaseVerbs } from './leases';
import { LockVerbs } from './locks';
import { MaintenanceVerbs } from './maintenance';
import { resolveOptions, type ClientOptions } from './options';
import type { Selection } from './types';
import { beginWatch, type Watch, type WatchOptions } from './watch';
import { WriteStream, type WriteStreamOptions } from './write-stream';

/**
 * A client. Safe for concurrent calls; holds one connection per endpoint it has used, so `close()` it. The verbs on keys are
 * its own methods; everything else is grouped by service.
 *
 * Every method rejects with a `QuorateError`. Its `outcome` says what happened to a change: `not-done`, it surely had no
 * effect and never will; `unknown`, it may have taken effect or may still (always with a code such as `outcome-unknown`;
 * repeat it only with the same request id). For reads `outcome` is always `not-done`. Codes of every method:
 * `invalid-argument`, `no-leader`, `no-quorum`, `overloaded`, `stopping`, `deadline-exceeded`, `unreachable`; of changes
 * also `no-space`, `request-expired` and `request-mismatch`.
 */
export class QuorateClient extends KeyVerbs {
  /** Keys that end when their owner no longer says that it is there. */
  readonly leases: LeaseVerbs;
  /** One holder at a time, known by a fencing token. */
  readonly locks: LockVerbs;
  /** One leader at a time among a user's processes. */
  readonly elections: ElectionVerbs;
  /** The members of the cluster. */
  readonly cluster: ClusterVerbs;
  /** What operators need. */
  readonly maintenance: MaintenanceVerbs;
  readonly #caller: Caller;

  /** @throws QuorateError `invalid-argument` */
  constructor(options: ClientOptions) {
    const caller = new Caller(resolveOptions(options));
    super(caller);
    this.#caller = caller;
    this.leases = new LeaseVerbs(caller);
    this.locks = new LockVerbs(caller, this.leases);
    this.elections = new ElectionVerbs(caller, this.leases);
    this.cluster = new ClusterVerbs(caller);
    this.maintenance = new MaintenanceVerbs(caller);
  }

  /**
   * Begins to watch one key or a selection of keys. Of changes acknowledged after this resolves none is missed; see `Watch`
   * for how it goes on.
   */
  watch(keys: string | Selection, options: WatchOptions = {}): Promise<Watch> {
    return beginWatch(this.#caller, keys, options);
  }

  /** A stream of changes: the fast way for much to write. Nothing is opened before the first change. */
  writeStream(options: WriteStreamOptions = {}): WriteStream {
    return new WriteStream(this.#caller, options);
  }

  /**
   * Ends watches, write streams and the keeping of leases, and closes every connection. Calls in flight go on to their
   * end; for new ones nothing is sent.
   */
  close(): void {
    this.#caller.close();
  }
}
