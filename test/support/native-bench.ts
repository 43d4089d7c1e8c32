/** What the calls of the native API need, over a store that applies at once. */
import { ReadGate } from '../../src/api/read-gate';
import { statusOfError } from '../../src/api/errors';
import { QuorateError } from '../../src/base/error';
import { InstantStore } from './instant-store';

/** The time of day at the bench, milliseconds since 1970; ids of `requestIdAt` are made then. */
const benchTime = 0x01890a5dac96;

export const benchLimits = {
  maxKeyBytes: 100,
  maxValueBytes: 1000,
  maxPageBytes: 4096,
  requestTimeoutMs: 1000,
  maxCallsInFlight: 8,
} as const;

/** A request id made at the time of the bench, the `n`th of its millisecond. */
export function requestId(n = 0): string {
  return `01890a5d-ac96-774b-bcce-${n.toString(16).padStart(12, '0')}`;
}

export class NativeBench {
  readonly store = new InstantStore();
  readonly call = { deadline: 1000 };
  readonly proposer = this.store;
  readonly reader = this.store.reader;
  readonly scheduler = { now: () => 0 };
  readonly reads = new ReadGate({
    proposer: this.store,
    reader: this.store.reader,
    clock: this.scheduler,
    attention: { onStaleRead: () => undefined },
  });
  readonly limits = benchLimits;
  readonly selfId = 7n;
  readonly wallClock = () => benchTime;
  /** The funnel of errors; one that nobody expected fails the test. */
  readonly calls = {
    statusOf(error: unknown) {
      if (error instanceof QuorateError) return statusOfError(error);
      throw error;
    },
  };

  close(): Promise<void> {
    return this.store.reader.close();
  }
}
