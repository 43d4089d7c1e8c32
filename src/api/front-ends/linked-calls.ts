/** The calls of one front end, as the member has them. */
import { Metadata, status } from '@grpc/grpc-js';
import { assert, required } from '../../base/assert';
import { RenewingMap } from '../../base/renewing-map';
import { type CallEnd, type CallHead, endOf, frameKind, metadataOf, readCall, statusText, writeTaken } from './frames';
import type { Link } from './link';
import { internal, LinkedCall, type LinkedCallback, LinkedStream, type StreamExit } from './linked-call';
import type { ServedMethod } from './method-table';

/** Handlers only read it, so all calls without metadata have the same. */
const noMetadata = new Metadata();

const handlerFailed: CallEnd = { code: status.UNKNOWN, details: 'Unknown error', metadata: noMetadata };

/** Begins the calls that a front end brings, and tells it how they go on. */
export class LinkedCalls {
  readonly #methods: readonly ServedMethod[];
  readonly #link: Link;
  /** By the front end's numbers. A call leaves when one of both says that it is over; what the other still says is late. */
  readonly #open = new RenewingMap<number, LinkedCall>();

  constructor(methods: readonly ServedMethod[], link: Link) {
    this.#methods = methods;
    this.#link = link;
  }

  /** @throws AssertionError for what no front end says */
  onFrame(kind: number, id: number, payload: Buffer): void {
    switch (kind) {
      case frameKind.call:
        this.#begin(id, payload);
        return;
      case frameKind.message:
        this.#stream(id)?.onMessage(payload);
        return;
      case frameKind.end:
        this.#stream(id)?.onEnd();
        return;
      case frameKind.sent:
        this.#stream(id)?.onSent();
        return;
      case frameKind.cancelled:
        this.#cancel(id);
        return;
      default:
        assert(false, 'a front end says what it may say');
    }
  }

  /** The front end is gone, and so are all its clients. */
  cancelAll(): void {
    this.#open.forEach((_, id) => {
      this.#cancel(id);
    });
  }

  #stream(id: number): LinkedStream | undefined {
    const call = this.#open.get(id);
    assert(call === undefined || call instanceof LinkedStream, 'messages belong to streams');
    return call;
  }

  #cancel(id: number): void {
    const call = this.#open.get(id);
    this.#open.delete(id);
    call?.cancel();
  }

  #begin(id: number, payload: Buffer): void {
    const { head, request } = readCall(payload);
    const method = required(this.#methods[head.method], 'a front end calls a method it was told');
    assert(!this.#open.has(id), 'a call has a number of its own');
    let message: unknown;
    try {
      if (!method.requestStream) message = method.deserialize(request);
    } catch {
      this.#end(id, internal('Error deserializing request'));
      return;
    }
    const call = this.#callOf(id, method, openingOf(head, message));
    this.#open.set(id, call);
    try {
      if (method.responseStream) method.handler(call);
      else method.handler(call, this.#callback(id, method, call));
    } catch {
      if (this.#open.get(id) !== call) return;
      if (call instanceof LinkedStream) call.finish(handlerFailed);
      else this.#end(id, handlerFailed);
    }
  }

  #callOf(id: number, method: ServedMethod, opening: ReturnType<typeof openingOf>): LinkedCall {
    if (!method.requestStream && !method.responseStream) return new LinkedCall(opening);
    return new LinkedStream(opening, this.#exit(id, method));
  }

  #exit(id: number, { deserialize, serialize }: ServedMethod): StreamExit {
    return {
      deserialize,
      serialize,
      message: (bytes) => {
        this.#link.send(frameKind.message, id, bytes);
      },
      taken: (cost) => {
        writeTaken(this.#link, id, cost);
      },
      end: (how) => {
        this.#end(id, how);
      },
    };
  }

  #callback(id: number, method: ServedMethod, call: LinkedCall): LinkedCallback {
    return (error, response) => {
      // A cancelled call takes no answer.
      if (this.#open.get(id) !== call) return;
      if (error !== null) this.#end(id, endOf(error));
      else this.#answer(id, method, response);
    };
  }

  #answer(id: number, method: ServedMethod, response: unknown): void {
    let bytes: Buffer;
    try {
      bytes = method.serialize(response);
    } catch {
      this.#end(id, internal('Error serializing response'));
      return;
    }
    this.#open.delete(id);
    this.#link.send(frameKind.answer, id, bytes);
  }

  #end(id: number, how: CallEnd): void {
    this.#open.delete(id);
    this.#link.send(frameKind.status, id, Buffer.from(statusText(how)));
  }
}

function openingOf({ metadata, deadline }: CallHead, request: unknown) {
  return { request, deadline, metadata: metadata === '' ? noMetadata : metadataOf(metadata) };
}
