/** Lets a small answer leave whole: its headers, its message and its trailers in one write to the connection. */
import type { ServerHttp2Stream } from 'node:http2';
import { isKnownNode } from './known-node';

type Write = ServerHttp2Stream['_write'];

/** The class of the streams: what is changed of it. */
interface StreamKind {
  _write: Write;
}

/** A stream that was told early once. */
interface Told {
  [isTold]?: true;
}

const isTold = Symbol('told early');

/** The longest message that a stream is told early of, bytes: so much more than its buffer a client that reads nothing can hold. */
const maxEarlyBytes = 16 * 1024;

/** The methods that do so. */
const early = new WeakSet<Write>();

/**
 * Has all streams of the class of `stream` tell that their first message was written when `node:http2` has taken it, not when it
 * has left. That is when grpc-js ends a unary answer, whose trailers so leave with the message, if they are handed to nghttp2 at
 * once (`repeatHeaders`). Otherwise each answer is two system calls and two packets, and wakes its client twice (ADR 20). A longer
 * message, and any after the first, is told of when it has left, so that streams wait for slow clients as before.
 *
 * The order of what is sent stays nghttp2's. A stream that fails after it was told closes, as it does whatever was told.
 *
 * @returns false if nothing was changed
 */
export function answerWhole(stream: ServerHttp2Stream, version = process.versions.node): boolean {
  if (!isKnownNode(version)) return false;
  const kind = Object.getPrototypeOf(stream) as StreamKind;
  if (early.has(kind._write)) return true;
  kind._write = earlyWrite(kind._write);
  early.add(kind._write);
  return true;
}

function earlyWrite(write: Write): Write {
  return function (this: ServerHttp2Stream & Told, message: Buffer | string, encoding, callback) {
    if (this[isTold] === true || message.length > maxEarlyBytes) {
      write.call(this, message, encoding, callback);
      return;
    }
    this[isTold] = true;
    let isOver = false;
    const tell: typeof callback = (error) => {
      if (isOver) return;
      isOver = true;
      callback(error);
    };
    write.call(this, message, encoding, tell);
    tell();
  };
}
