/** The client's end of a stream of etcd's Watch service, in memory. */
import { Metadata } from '@grpc/grpc-js';
import { WatchResponse } from '../../src/gen/etcd/etcdserverpb/watch';
import { Event_EventType } from '../../src/gen/etcd/mvccpb/kv';

/** What the client got, and whether it takes more. */
export class FakePort {
  readonly metadata = new Metadata();
  isWritable = true;
  isPaused = false;
  isEnded = false;
  readonly #sent: WatchResponse[] = [];

  write(response: WatchResponse | Buffer): void {
    this.#sent.push(Buffer.isBuffer(response) ? WatchResponse.decode(response) : response);
  }

  pauseRequests(): void {
    this.isPaused = true;
  }

  resumeRequests(): void {
    this.isPaused = false;
  }

  end(): void {
    this.isEnded = true;
  }

  fail(error: unknown): void {
    throw error;
  }

  /** What was sent since the last call. */
  sent(): readonly WatchResponse[] {
    return this.#sent.splice(0);
  }

  told(): readonly string[] {
    return this.sent().map(inWords);
  }
}

/** A response in words: `id@revision created canceled 'reason' compacted N fragment events`. */
export function inWords(response: WatchResponse): string {
  const { watchId, header, created, canceled, cancelReason, compactRevision, fragment } = response;
  const events = response.events.map(({ type, kv, prevKv }) => {
    const key = `${String(kv?.modRevision)}:${String(kv?.key)}`;
    const before = prevKv === undefined ? '' : `(${String(prevKv.value)})`;
    return `${key}${type === Event_EventType.PUT ? `=${String(kv?.value)}` : '-'}${before}`;
  });
  const words = [`${String(watchId)}@${String(header?.revision)}`];
  if (created) words.push('created');
  if (canceled) words.push('canceled');
  if (cancelReason !== '') words.push(`'${cancelReason}'`);
  if (compactRevision !== 0n) words.push(`compacted ${String(compactRevision)}`);
  if (fragment) words.push('fragment');
  return [...words, ...events].join(' ');
}
