/** What the main thread and the storage worker tell each other. Entries travel in transferred buffers (entry-codec). */
import type { ErrorCode } from '../base/error';
import type { Incarnation } from '../base/incarnation';
import type { ConfigurationPayload, MemberId } from '../raft';
import type { Synchronous } from './sqlite-connection';
import type { FoundLog } from './sqlite-log';
import type { EntryRange, Identity } from './storage';

/** What the worker is started with. */
export interface WorkerOptions {
  readonly directory: string;
  readonly identity: Identity;
  readonly initialConfiguration: ConfigurationPayload;
  readonly maxTailBytes: number;
  readonly synchronous: Synchronous;
  /** Most rows removed from the front in one transaction. */
  readonly maxTruncationRows: number;
}

/**
 * To the worker, which answers each with one `Reply`, in order.
 * A write is a bare buffer (`encodeGroup`): it is the one that has to be cheap.
 */
export type Request =
  | ArrayBuffer
  | { readonly kind: 'read'; readonly range: EntryRange }
  /** Removes a part of the prefix; to be repeated until the answer says done. */
  | { readonly kind: 'truncate-prefix'; readonly index: number }
  | { readonly kind: 'note-peer'; readonly peer: MemberId; readonly incarnation: Incarnation }
  | { readonly kind: 'condemn' }
  | { readonly kind: 'close' };

/** From the worker. */
export type Reply =
  | { readonly kind: 'opened'; readonly created: boolean; readonly found: FoundLog; readonly tail: ArrayBuffer }
  | { readonly kind: 'written' }
  /** `undefined`: the range is not held. */
  | { readonly kind: 'read'; readonly entries: ArrayBuffer | undefined }
  | { readonly kind: 'truncated'; readonly done: boolean }
  /** The peer, or the end of the directory. */
  | { readonly kind: 'noted' }
  | { readonly kind: 'closed' }
  /** The end: the worker does nothing any more. */
  | { readonly kind: 'failed'; readonly code: ErrorCode; readonly message: string };
