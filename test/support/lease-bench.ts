/** What the lease services of both APIs need beside the store: the time of leases, renewals, and carriers that call directly. */
import { Metadata } from '@grpc/grpc-js';
import { LeaseRenewals } from '../../src/api/lease-renewals';
import type { DuplexPort, DuplexSession } from '../../src/api/duplex-streams';
import { NativeBench } from './native-bench';

/** A stream as a session sees it. */
export class RecordedPort<Response> implements DuplexPort<Response> {
  readonly metadata = new Metadata();
  readonly isWritable = true;
  readonly responses: Response[] = [];
  failure: unknown;
  hasEnded = false;

  write(response: Response): void {
    this.responses.push(response);
  }

  pauseRequests(): void {
    // Nobody sends so much here.
  }

  resumeRequests(): void {
    // As above.
  }

  end(): void {
    this.hasEnded = true;
  }

  fail(error: unknown): void {
    this.failure = error;
  }
}

type Session<Response> = (port: DuplexPort<Response>) => DuplexSession<unknown>;

export class LeaseBench extends NativeBench {
  /** By the clock of the member, milliseconds. */
  now = 0;
  override readonly scheduler = {
    now: () => this.now,
    atEndOfTurn: (callback: () => void) => void setImmediate(callback),
  };
  /** What is left of each lease, milliseconds. */
  readonly remaining = new Map<bigint, number>();
  readonly lessor = {
    remainingMs: (id: bigint) => this.remaining.get(id),
    byRemaining: () => [...this.remaining].sort(([, a], [, b]) => a - b).map(([id]) => id),
  };
  readonly renewals = new LeaseRenewals({ proposer: this.store, scheduler: this.scheduler });

  /** Instead of gRPC's handlers: the functions themselves. */
  readonly direct = { handler: <T>(answer: T): T => answer };

  /** Has one stream of requests answered, to its end. */
  async stream<Response>(open: unknown, requests: readonly unknown[]): Promise<RecordedPort<Response>> {
    const port = new RecordedPort<Response>();
    const session = (open as Session<Response>)(port);
    for (const request of requests) session.onRequest(request);
    session.onRequestsEnd();
    while (!port.hasEnded && port.failure === undefined) await new Promise((resolve) => setImmediate(resolve));
    return port;
  }
}
