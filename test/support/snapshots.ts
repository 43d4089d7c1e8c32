/** Snapshots for tests of the transport: bytes that can be recognised, a sender that can be hindered, a sink that remembers. */
import { createHash } from 'node:crypto';
import { QuorateError } from '../../src/base/error';
import { seededRng } from '../../src/base/rng';
import { simpleConfiguration } from '../../src/raft';
import type { OutgoingSnapshot, SnapshotSink } from '../../src/transport/transport';

/** Different at every place. */
export function snapshotBytes(sizeBytes: number, seed = 1): Buffer {
  const rng = seededRng(seed);
  const words = Uint32Array.from({ length: Math.ceil(sizeBytes / 4) }, () => rng.nextUint32());
  return Buffer.from(words.buffer).subarray(0, sizeBytes);
}

/** A snapshot of these bytes. */
export function snapshotOf(bytes: Buffer, more: Partial<OutgoingSnapshot> = {}): OutgoingSnapshot {
  return {
    term: 7,
    description: {
      last: { index: 90, term: 6 },
      configuration: {
        index: 12,
        configuration: { ...simpleConfiguration([1n, 2n]), learners: [2n ** 63n + 3n] },
        context: Buffer.from('names and addresses'),
      },
    },
    sizeBytes: bytes.length,
    sha256: createHash('sha256').update(bytes).digest(),
    read: (offset, maxBytes) => Promise.resolve(bytes.subarray(offset, offset + maxBytes)),
    ...more,
  };
}

/** Keeps what it is given, and fails the test if it is called against the contract. */
export class RecordingSink implements SnapshotSink {
  readonly chunks: Uint8Array[] = [];
  readonly calls: ('write' | 'finish' | 'abort')[] = [];
  #isBusy = false;

  /** Waited for in every `write`; a rejection is the sink's. */
  onWrite: (receivedBytes: number) => Promise<void> | void = () => undefined;
  onFinish: () => Promise<void> | void = () => undefined;

  async write(bytes: Uint8Array): Promise<void> {
    await this.#run('write', () => {
      this.chunks.push(bytes);
      return this.onWrite(this.receivedBytes);
    });
  }

  async finish(): Promise<void> {
    await this.#run('finish', () => this.onFinish());
  }

  abort(): void {
    this.#check('abort');
  }

  get receivedBytes(): number {
    return this.chunks.reduce((sum, { length }) => sum + length, 0);
  }

  get bytes(): Buffer {
    return Buffer.concat(this.chunks);
  }

  /** How it was closed, if it was. */
  get end(): 'finish' | 'abort' | undefined {
    const last = this.calls.at(-1);
    return last === 'write' ? undefined : last;
  }

  async #run(call: 'write' | 'finish', act: () => Promise<void> | void): Promise<void> {
    this.#check(call);
    this.#isBusy = true;
    try {
      await act();
    } finally {
      this.#isBusy = false;
    }
  }

  #check(call: 'write' | 'finish' | 'abort'): void {
    this.calls.push(call);
    const before = this.calls.slice(0, -1);
    if (this.#isBusy) violations.push(`${call} while another call was running`);
    if (before.includes('finish') || before.includes('abort')) violations.push(`${call} after ${before.join(', ')}`);
  }
}

/** What sinks were called against the contract since this was last emptied. */
export const violations: string[] = [];

/** A refusal with a code that the transport passes on. */
export function refusal(code: 'overloaded' | 'superseded' | 'damaged'): QuorateError {
  return new QuorateError(code, 'not today');
}
