/** Spares node:http2 to check and write out the same headers for every answer. */
import { type OutgoingHttpHeaders, sensitiveHeaders, type ServerHttp2Stream } from 'node:http2';
import { isKnownNode } from './known-node';

type Respond = ServerHttp2Stream['respond'];
type SendTrailers = ServerHttp2Stream['sendTrailers'];

/** The class of the streams: what is changed of it. */
interface StreamKind {
  respond: Respond;
  sendTrailers: SendTrailers;
}

/** The native side of a stream; headers are a list that `node:http2` has written out. */
interface Handle {
  respond(list: unknown, options: number): number;
  trailers(list: unknown): number;
}

/** What is used of a stream beside its public side. */
interface StreamState {
  flags: number;
  readonly trailersReady: boolean;
}

/** What is behind the symbols of `node:http2`. */
type Insides = Record<symbol, unknown>;

/** The names of what is used of it. */
interface Names {
  readonly state: symbol;
  readonly handle: symbol;
  readonly updateTimer: symbol;
  readonly maybeDestroy: symbol;
}

/** What sending some headers came to, to be done again. */
interface Sent {
  readonly headers: Insides & Record<string, unknown>;
  readonly count: number;
  readonly list: unknown;
  /** Where the stream keeps what was sent. */
  readonly place: symbol | undefined;
  /** Those of the stream's flags that changed. */
  readonly flags: number;
}

interface SentResponse extends Sent {
  readonly options: number;
}

/** The methods that do so. */
const repeating = new WeakSet<Respond>();

/**
 * Has all streams of the class of `stream` send headers as they were sent before, as long as they are the same: all unary answers
 * of gRPC that are no errors have the same ones. To copy, check and write them out takes a quarter of the CPU of a bare call
 * (ADR 19). On Node 20 there is no public way to it. What is sent, and what that does to a stream, is not known here but seen
 * when `node:http2` does it. Where Node's insides are not what they were, nothing is changed.
 *
 * Answers that trailers follow, so those of gRPC, carry no date any more.
 *
 * @returns false if nothing was changed
 */
export function repeatHeaders(stream: ServerHttp2Stream, version = process.versions.node): boolean {
  if (!isKnownNode(version)) return false;
  const kind = Object.getPrototypeOf(stream) as StreamKind;
  if (repeating.has(kind.respond)) return true;
  const names = namesOf(stream);
  if (names === undefined) return false;
  kind.respond = repeatedRespond(names, kind.respond);
  kind.sendTrailers = repeatedTrailers(names, kind.sendTrailers);
  repeating.add(kind.respond);
  return true;
}

function repeatedRespond(names: Names, respond: Respond): Respond {
  let last: SentResponse | undefined;

  function watch(stream: ServerHttp2Stream, headers: OutgoingHttpHeaders, options: Parameters<Respond>[1]): void {
    const [handle, state] = [handleOf(stream, names), stateOf(stream, names)];
    const before = state.flags;
    handle.respond = (list, nativeOptions) => {
      Reflect.deleteProperty(handle, 'respond');
      const sent = sentBy(stream, { headers, list, place: 'sent-headers', flags: state.flags & ~before });
      last = { ...sent, options: nativeOptions };
      return handle.respond(list, nativeOptions);
    };
    try {
      respond.call(stream, headers, { ...options, sendDate: false });
    } finally {
      Reflect.deleteProperty(handle, 'respond');
    }
    // A status that allows no body: then there is more to do.
    if (stream.writableEnded) last = undefined;
  }

  return function (this: ServerHttp2Stream, headers, options) {
    const isOpen = !this.destroyed && !this.closed && !this.headersSent;
    if (!isOpen || headers === undefined || options?.waitForTrailers !== true || options.endStream === true) {
      respond.call(this, headers, options);
    } else if (last === undefined || !isSame(headers, last)) {
      watch(this, headers, options);
    } else {
      note(this, names, headers, last);
      stateOf(this, names).flags |= last.flags;
      wasTaken(this, handleOf(this, names).respond(last.list, last.options));
    }
  };
}

function repeatedTrailers(names: Names, sendTrailers: SendTrailers): SendTrailers {
  let last: Sent | undefined;

  function watch(stream: ServerHttp2Stream, headers: OutgoingHttpHeaders): void {
    const [handle, state] = [handleOf(stream, names), stateOf(stream, names)];
    const before = state.flags;
    handle.trailers = (list) => {
      Reflect.deleteProperty(handle, 'trailers');
      last = sentBy(stream, { headers, list, place: 'sent-trailers', flags: before & ~state.flags });
      return handle.trailers(list);
    };
    sendTrailers.call(stream, headers);
  }

  return function (this: ServerHttp2Stream, headers) {
    const isOpen = !this.destroyed && !this.closed && stateOf(this, names).trailersReady;
    if (!isOpen || this.sentTrailers !== undefined) {
      sendTrailers.call(this, headers);
    } else if (last === undefined || !isSame(headers, last)) {
      watch(this, headers);
    } else {
      note(this, names, headers, last);
      // Within the call of nghttp2 that asks for them, which is allowed there, so that they leave with what is before them.
      stateOf(this, names).flags &= ~last.flags;
      if (wasTaken(this, handleOf(this, names).trailers(last.list))) call(this, names.maybeDestroy);
    }
  };
}

/** The symbols of a stream and of its classes, by what they are called; `undefined` unless all are there and of use. */
function namesOf(stream: ServerHttp2Stream): Names | undefined {
  const found = new Map<string | undefined, symbol>();
  for (let at: unknown = stream; typeof at === 'object' && at !== null; at = Object.getPrototypeOf(at)) {
    for (const name of Object.getOwnPropertySymbols(at)) {
      if (!found.has(name.description)) found.set(name.description, name);
    }
  }
  const [state, handle] = [found.get('state'), found.get('kHandle')];
  const [updateTimer, maybeDestroy] = [found.get('kUpdateTimer'), found.get('kMaybeDestroy')];
  if (state === undefined || handle === undefined || updateTimer === undefined || maybeDestroy === undefined) {
    return undefined;
  }
  const inside = stream as unknown as Insides;
  const isUsable =
    hasFields(inside[state], { flags: 'number', trailersReady: 'boolean' }) &&
    hasFields(inside[handle], { respond: 'function', trailers: 'function' }) &&
    [inside[updateTimer], inside[maybeDestroy]].every((each) => typeof each === 'function');
  return isUsable ? { state, handle, updateTimer, maybeDestroy } : undefined;
}

function hasFields(value: unknown, types: Readonly<Record<string, string>>): boolean {
  const fields = value as Readonly<Record<string, unknown>> | undefined;
  return fields !== undefined && Object.entries(types).every(([name, type]) => typeof fields[name] === type);
}

function sentBy(
  stream: ServerHttp2Stream,
  { headers, place, ...sent }: { headers: OutgoingHttpHeaders; list: unknown; place: string; flags: number },
): Sent {
  const copy = { ...headers } as Sent['headers'];
  const symbols = Object.getOwnPropertySymbols(stream);
  return {
    ...sent,
    headers: copy,
    count: Object.keys(copy).length,
    place: symbols.find(({ description }) => description === place),
  };
}

function isSame(headers: OutgoingHttpHeaders, sent: Sent): boolean {
  let count = 0;
  for (const name in headers) {
    if (headers[name] !== sent.headers[name]) return false;
    count++;
  }
  return count === sent.count && (headers as Insides)[sensitiveHeaders] === sent.headers[sensitiveHeaders];
}

/** What `node:http2` does on the way. */
function note(stream: ServerHttp2Stream, names: Names, headers: OutgoingHttpHeaders, { place }: Sent): void {
  call(stream, names.updateTimer);
  if (place !== undefined) (stream as unknown as Insides)[place] = headers;
}

/** Ends the stream if nghttp2 did not take what it was handed. */
function wasTaken(stream: ServerHttp2Stream, code: number): boolean {
  if (code < 0) stream.destroy(new Error(`nghttp2 did not take the headers: ${String(code)}`));
  return code >= 0;
}

function call(stream: ServerHttp2Stream, name: symbol): void {
  (stream as unknown as Record<symbol, () => void>)[name]?.();
}

const stateOf = (stream: ServerHttp2Stream, { state }: Names): StreamState =>
  (stream as unknown as Insides)[state] as StreamState;

const handleOf = (stream: ServerHttp2Stream, { handle }: Names): Handle =>
  (stream as unknown as Insides)[handle] as Handle;
