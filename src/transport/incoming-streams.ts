/** The open streams of one kind that peers have opened to this member: one per peer, the newest. */
import { status, type ServerDuplexStream } from '@grpc/grpc-js';
import type { MemberId } from '../raft';
import { StreamSender, type StreamSenderLimits } from './stream-sender';

type Stream = ServerDuplexStream<Buffer, Buffer>;

/** One of them. */
export interface IncomingStream {
  /** False once it ended, was refused or replaced: what still comes is not to be looked at. */
  readonly isOpen: boolean;
  /** Ends it with an error. */
  readonly refuse: (error: { readonly code: status; readonly details: string }) => void;
}

interface OpenStream extends IncomingStream {
  readonly sender: StreamSender;
  readonly end: () => void;
}

/** Answers go to the stream that a peer opened last; without one they are dropped. */
export class IncomingStreams {
  readonly #limits: StreamSenderLimits;
  readonly #streams = new Map<MemberId, OpenStream>();

  constructor(limits: StreamSenderLimits) {
    this.#limits = limits;
  }

  /** Takes over a stream that was let in. An older one of the same peer is ended: nobody reads it any more. */
  add(from: MemberId, stream: Stream): IncomingStream {
    this.#streams.get(from)?.refuse({ code: status.ABORTED, details: 'the peer opened a newer stream' });
    const opened = openStream(stream, this.#limits, () => {
      if (this.#streams.get(from) === opened) this.#streams.delete(from);
    });
    this.#streams.set(from, opened);
    return opened;
  }

  /**
   * Sends an answer. A peer that does not read its answers loses the stream, so that it knows.
   *
   * @returns false if it was dropped
   */
  send(to: MemberId, bytes: Buffer): boolean {
    const stream = this.#streams.get(to);
    if (stream === undefined) return false;
    if (stream.sender.send(bytes)) return true;
    stream.refuse({ code: status.RESOURCE_EXHAUSTED, details: 'answers are not read' });
    return false;
  }

  /**
   * Sends an answer that stands for all before it.
   *
   * @returns false if it was dropped
   */
  sendNewest(to: MemberId, bytes: Buffer): boolean {
    const stream = this.#streams.get(to);
    stream?.sender.sendNewest(bytes);
    return stream !== undefined;
  }

  endAll(): void {
    for (const stream of this.#streams.values()) stream.end();
    this.#streams.clear();
  }
}

function openStream(stream: Stream, limits: StreamSenderLimits, onClosed: () => void): OpenStream {
  const sender = new StreamSender(limits);
  const opened = {
    isOpen: true,
    sender,
    end: () => {
      close();
      stream.end();
    },
    refuse: (error: { readonly code: status; readonly details: string }) => {
      if (!opened.isOpen) return;
      close();
      stream.emit('error', error);
    },
  };
  const close = (): void => {
    opened.isOpen = false;
    onClosed();
  };
  sender.open(stream);
  stream.on('end', opened.end);
  stream.on('cancelled', close);
  stream.on('error', close);
  return opened;
}
