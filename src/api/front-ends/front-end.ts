/** A front end at work: speaks gRPC with clients, and passes their calls on as they are, message by message unread. */
import type { EventEmitter } from 'node:events';
import type { Duplex } from 'node:stream';
import type { Socket } from 'node:net';
import {
  type sendUnaryData,
  Server,
  type ServerDuplexStream,
  type ServerUnaryCall,
  type ServerWritableStream,
  type ServiceDefinition,
  status,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import { assert } from '../../base/assert';
import { RenewingMap } from '../../base/renewing-map';
import type { TlsIdentity } from '../../base/tls';
import { InjectedConnections } from '../injected-connections';
import type { FailedHandshake } from '../tls-door';
import { ClientConnections } from './client-connections';
import type { FrontEndPlan, MethodShape } from './control';
import { owned } from './frame-reader';
import { type CallEnd, callEndOf, frameKind, metadataText, nothing, readTaken, writeCall } from './frames';
import { costOf, frontEndLimits } from './limits';
import { Link } from './link';

type Unary = ServerUnaryCall<Buffer, Buffer>;
type Writing = ServerWritableStream<Buffer, Buffer>;
type Duplexing = ServerDuplexStream<Buffer, Buffer>;

/** A call that is not over. */
interface OpenCall {
  readonly stream: Unary | Writing | Duplexing;
  /** Where there is one response. */
  readonly callback: sendUnaryData<Buffer> | undefined;
  /** Called when a response has left. */
  readonly onSent: (error?: Error | null) => void;
  /** Requests sent on that the member has not taken yet, by `costOf`. */
  untaken: number;
}

/** What a front end is made of. */
export interface FrontEndOptions {
  readonly plan: FrontEndPlan;
  /** The link to the member. */
  readonly socket: Duplex;
  /** The link is of no use any more. */
  readonly onLost: (error?: unknown) => void;
  /** Told at a bounded rate. */
  readonly onFailedHandshake: (failure: FailedHandshake) => void;
}

/** The largest length that can be written before a frame: the member bounds its responses itself. */
const maxPayloadBytes = 2 ** 32 - 1;

const asItIs = (bytes: Buffer): Buffer => bytes;

export class FrontEnd {
  readonly #plan: FrontEndPlan;
  readonly #overloaded: CallEnd;
  readonly #link: Link;
  readonly #grpc: InjectedConnections;
  readonly #connections: ClientConnections;
  readonly #calls = new RenewingMap<number, OpenCall>();
  #lastId = 0;
  #heard = true;

  constructor({ plan, socket, onLost, onFailedHandshake }: FrontEndOptions) {
    this.#plan = plan;
    this.#overloaded = callEndOf(plan.overloaded);
    this.#link = new Link({
      socket,
      maxPayloadBytes,
      onFrame: (kind, id, payload) => {
        this.#onFrame(kind, id, payload);
      },
      onBroken: onLost,
      onClosed: onLost,
    });
    const server = new Server(plan.serverOptions);
    this.#watchMember(onLost);
    const methods = plan.methods.map((method, index) => [method.path, this.#handler(method, index)] as const);
    server.addService(definitionOf(plan.methods), Object.fromEntries(methods));
    this.#grpc = new InjectedConnections(server);
    this.#connections = new ClientConnections({
      ...{ identity: plan.identity, httpPath: plan.httpPath, onFailedHandshake },
      onHttp2: (connection) => {
        this.#grpc.take(connection);
      },
    });
  }

  /** Serves a connection, of which `head` was read before; nothing of one that is sealed. */
  take(connection: Socket, { head, isSealed }: { readonly head: Buffer; readonly isSealed: boolean }): void {
    if (isSealed) this.#connections.takeSealed(connection);
    else this.#connections.takeOpen(connection, head);
  }

  replaceIdentity(identity: TlsIdentity): void {
    this.#connections.replaceIdentity(identity);
  }

  /** Takes no more calls, closes each connection once its calls are answered, and calls back when none is left. */
  retire(onEmpty: () => void): void {
    this.#connections.closeUndecided();
    this.#grpc.retire();
    this.#connections.whenEmpty(onEmpty);
  }

  /** Closes what is left, and calls back when no connection remains. */
  close(onEmpty: () => void): void {
    this.#connections.closeOthers();
    this.#grpc.close();
    this.#connections.whenEmpty(onEmpty);
  }

  /**
   * A member that is stopped, or stuck, would seem well to its clients: it is the front end that answers their pings. So
   * it closes their connections by ending, as they would by themselves.
   */
  #watchMember(onLost: (error: Error) => void): void {
    setInterval(() => {
      const heardBefore = this.#heard;
      this.#heard = false;
      if (heardBefore) return;
      // Where both processes were stopped, what the member has said since is read only now.
      setImmediate(() => {
        if (!this.#heard) onLost(new Error('the member has said nothing for too long'));
      });
    }, this.#plan.silentMs).unref();
  }

  #handler({ requestStream, responseStream }: MethodShape, method: number): UntypedServiceImplementation[string] {
    const begin = (stream: OpenCall['stream'], callback?: sendUnaryData<Buffer>): number | undefined => {
      if (this.#link.unsentBytes >= frontEndLimits.maxUnsentBytes) {
        end(stream, callback, this.#overloaded);
        return undefined;
      }
      const request = requestStream ? nothing : (stream as Unary).request;
      return this.#begin({ stream, callback, method, request });
    };
    if (!requestStream) {
      if (responseStream) return (call: Writing) => void begin(call);
      return (call: Unary, callback: sendUnaryData<Buffer>) => void begin(call, callback);
    }
    return (call: Duplexing, callback?: sendUnaryData<Buffer>) => {
      const id = begin(call, callback);
      if (id !== undefined) this.#passOn(id, call);
    };
  }

  #begin({ stream, callback, method, request }: Beginning): number {
    const id = this.#nextId();
    const onSent = (error?: Error | null): void => {
      if (!isError(error) && this.#calls.has(id)) this.#link.send(frameKind.sent, id, nothing);
    };
    this.#calls.set(id, { stream, callback, onSent, untaken: 0 });
    const emitter: EventEmitter = stream;
    // Comes after every end, also after an answer; then the call is not there any more.
    emitter.once('cancelled', () => {
      if (this.#calls.delete(id)) this.#link.send(frameKind.cancelled, id, nothing);
    });
    const deadline = Number(stream.getDeadline());
    const metadata = metadataText(stream.metadata, this.#plan.metadataKeys);
    writeCall(this.#link, id, { method, deadline, metadata }, request);
    return id;
  }

  /** Sends the requests of a stream on, as long as the member takes them. */
  #passOn(id: number, stream: Duplexing): void {
    stream.on('data', (request: Buffer) => {
      const call = this.#calls.get(id);
      if (call === undefined) return;
      this.#link.send(frameKind.message, id, request);
      call.untaken += costOf(request);
      if (call.untaken > frontEndLimits.requestWindow) stream.pause();
    });
    stream.on('end', () => {
      if (this.#calls.has(id)) this.#link.send(frameKind.end, id, nothing);
    });
  }

  /** Numbers come again after four thousand million calls; some of the first may be open still. */
  #nextId(): number {
    do this.#lastId = (this.#lastId + 1) >>> 0;
    while (this.#calls.has(this.#lastId));
    return this.#lastId;
  }

  #onFrame(kind: number, id: number, payload: Buffer): void {
    this.#heard = true;
    const call = this.#calls.get(id);
    // The client has gone while the member was speaking; or it was a pulse.
    if (call === undefined) return;
    switch (kind) {
      case frameKind.answer:
        this.#calls.delete(id);
        call.callback?.(null, payload);
        return;
      case frameKind.message:
        writeTo(call, payload);
        return;
      case frameKind.taken:
        this.#taken(call, readTaken(payload));
        return;
      case frameKind.status:
        this.#calls.delete(id);
        end(call.stream, call.callback, callEndOf(payload.toString()));
        return;
      default:
        assert(false, 'a member says what it may say');
    }
  }

  #taken(call: OpenCall, cost: number): void {
    call.untaken -= cost;
    if (call.untaken <= frontEndLimits.requestWindow && 'resume' in call.stream) call.stream.resume();
  }
}

/** A call that begins. */
interface Beginning extends Pick<OpenCall, 'stream' | 'callback'> {
  readonly method: number;
  readonly request: Uint8Array;
}

function isStream(stream: OpenCall['stream']): stream is Writing | Duplexing {
  return 'write' in stream;
}

function isError(error: Error | null | undefined): boolean {
  return error !== undefined && error !== null;
}

/** What is not written at once is kept for as long as its client likes: without all that arrived beside it. */
function writeTo({ stream, onSent }: OpenCall, payload: Buffer): void {
  assert(isStream(stream), 'messages belong to streams');
  stream.write(stream.writableLength === 0 ? payload : owned(payload), onSent);
}

function end(stream: OpenCall['stream'], callback: OpenCall['callback'], how: CallEnd): void {
  if (callback !== undefined) callback(how);
  else if (how.code !== status.OK) stream.emit('error', how);
  else if (isStream(stream)) stream.end(how.metadata);
  // What still comes is of no interest, but the end must be reached.
  if ('resume' in stream) stream.resume();
}

/** All methods as one service; nothing is read or written but bytes. */
function definitionOf(methods: readonly MethodShape[]): ServiceDefinition {
  const codec = {
    requestSerialize: asItIs,
    requestDeserialize: asItIs,
    responseSerialize: asItIs,
    responseDeserialize: asItIs,
  };
  return Object.fromEntries(methods.map((method) => [method.path, { ...method, ...codec }]));
}
