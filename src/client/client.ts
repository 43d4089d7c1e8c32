/** A client of a quorate cluster: finds a member that answers, tries again where that is safe, tells how sure it is. */
import { Caller } from './caller';
import { ClusterVerbs } from './cluster';
import { KeyVerbs } from './keys';
import { MaintenanceVerbs } from './maintenance';
import { resolveOptions, type ClientOptions } from './options';

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
    this.cluster = new ClusterVerbs(caller);
    this.maintenance = new MaintenanceVerbs(caller);
  }

  /** Closes every connection. Attempts in flight go on to their end; after that, and for new calls, nothing is sent. */
  close(): void {
    this.#caller.close();
  }
}
