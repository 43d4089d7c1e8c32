/** Lets a small answer leave whole: its headers, its message and its trailers in one write to the connection. */
import type { ServerHttp2Stream } from 'node:http2';
import { isKnownNode } from './known-node';

type Write = ServerHttp2Stream['_write'];
type WriteMany = NonNullable<ServerHttp2Stream['_writev']>;
type Tell = Parameters<Write>[2];

/** The class of the streams: what is changed of it. */
interface StreamKind {
  _write: Write;
  _writev: WriteMany;
}

/** A message that its stream was told of before it has left. */
interface EarlyMessage {
  hasLeft: boolean;
  /** What is to be written then. */
  next: ((error: Parameters<Tell>[0]) => void) | undefined;
}

/** A stream that was told early once. */
interface Told {
  [early]?: EarlyMessage;
}

const early = Symbol('told early');

/** The longest message that a stream is told early of, bytes: so much more than its buffer a client that reads nothing can hold. */
const maxEarlyBytes = 16 * 1024;

/** The methods that do so. */
const changed = new WeakSet<Write>();

/**
 * Has all streams of the class of `stream` tell that their first small message was written when `node:http2` took it, not when it
 * has left. That is when grpc-js ends a unary answer, whose trailers so leave with the message, if they are handed to nghttp2 at
 * once (`repeatHeaders`). Otherwise each answer is two system calls and two packets, and wakes its client twice (ADR 20). A longer
 * message, and any after that one, is told of when it has left, so that streams wait for slow clients as before.
 *
 * The order of what is sent stays nghttp2's. A stream that fails after it was told closes, as it does whatever was told.
 *
 * @returns false if nothing was changed
 */
export function answerWhole(stream: ServerHttp2Stream, version = process.versions.node): boolean {
  if (!isKnownNode(version)) return false;
  const kind = Object.getPrototypeOf(stream) as StreamKind;
  if (changed.has(kind._write)) return true;
  kind._write = earlyWrite(kind._write);
  kind._writev = laterWrites(kind._writev);
  changed.add(kind._write);
  return true;
}

function earlyWrite(write: Write): Write {
  return function (this: ServerHttp2Stream & Told, message: Buffer | string, encoding, tell) {
    if (this[early] !== undefined || message.length > maxEarlyBytes) {
      whenAlone(this, tell, () => {
        write.call(this, message, encoding, tell);
      });
      return;
    }
    const first: EarlyMessage = { hasLeft: false, next: undefined };
    this[early] = first;
    const tellOnce = once(tell);
    write.call(this, message, encoding, (error) => {
      first.hasLeft = true;
      first.next?.(error);
      tellOnce(error);
    });
    tellOnce();
  };
}

function laterWrites(writeMany: WriteMany): WriteMany {
  return function (this: ServerHttp2Stream & Told, messages, tell) {
    whenAlone(this, tell, () => {
      writeMany.call(this, messages, tell);
    });
  };
}

/** Node 24 keeps what it knows of a write in the stream: a second one waits until the one that was told early has left. */
function whenAlone(stream: ServerHttp2Stream & Told, tell: Tell, write: () => void): void {
  const first = stream[early];
  if (first === undefined || first.hasLeft) {
    write();
    return;
  }
  first.next = (error) => {
    first.next = undefined;
    if (stream.destroyed) tell(error);
    else write();
  };
}

function once(tell: Tell): Tell {
  let isTold = false;
  return (error) => {
    if (isTold) return;
    isTold = true;
    tell(error);
  };
}
