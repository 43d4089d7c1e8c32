/** One end of a link in memory: what is written can be looked at, and the other end speaks when the test says so. */
import { Duplex } from 'node:stream';
import { FrameReader } from '../../src/api/front-ends/frame-reader';
import type { Link } from '../../src/api/front-ends/link';

/** A frame as it arrives. */
export interface SeenFrame {
  readonly kind: number;
  readonly id: number;
  readonly payload: Buffer;
}

export class FakeWire extends Duplex {
  /** Each write, by its pieces. */
  readonly writes: (readonly Buffer[])[] = [];

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: string, callback: () => void): void {
    this.writes.push([chunk]);
    callback();
  }

  override _writev(chunks: readonly { readonly chunk: Buffer }[], callback: () => void): void {
    this.writes.push(chunks.map(({ chunk }) => chunk));
    callback();
  }

  get written(): Buffer {
    return Buffer.concat(this.writes.flat());
  }

  /** All frames written so far, at the end of this turn. */
  async frames(): Promise<readonly SeenFrame[]> {
    await endOfTurn();
    return framesOf([this.written]);
  }
}

/** What a reader makes of chunks. */
export function framesOf(chunks: readonly Buffer[]): readonly SeenFrame[] {
  const seen: SeenFrame[] = [];
  const reader = new FrameReader(2 ** 30, (kind, id, payload) => void seen.push({ kind, id, payload }));
  for (const chunk of chunks) reader.take(chunk);
  return seen;
}

/** Callbacks of a link that no test asks about. */
export const silent: Omit<ConstructorParameters<typeof Link>[0], 'socket'> = {
  maxPayloadBytes: 2 ** 30,
  onFrame: () => undefined,
  onBroken: (error) => {
    throw error;
  },
  onClosed: () => undefined,
};

export function endOfTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
