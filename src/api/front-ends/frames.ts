/** What a front end and its member say to each other about calls: frames of a kind, about a call, with a payload. */
import type { IncomingHttpHeaders } from 'node:http2';
import { Metadata, status } from '@grpc/grpc-js';
import { assert } from '../../base/assert';
import type { Link } from './link';

/** The kinds, by who says them. The call is named by a number of the front end's. */
export const frameKind = {
  /** Front end: a client calls. Method, deadline, metadata, and the request unless it is a stream. */
  call: 1,
  /** Both: a message of a stream. */
  message: 2,
  /** Front end: the client sends no more requests. */
  end: 3,
  /** Front end: the client does not wait any more. The call is over. */
  cancelled: 4,
  /** Front end: the oldest response not yet reported has left. */
  sent: 5,
  /** Member: the response of a unary call. The call is over. */
  answer: 6,
  /** Member: how the call has ended, after all messages. */
  status: 7,
  /** Member: so much of the requests of a stream was given to the handler. */
  taken: 8,
  /** Member: is there. About no call. */
  pulse: 9,
} as const;

/** A call as it begins. */
export interface CallHead {
  /** Its place in the list of methods. */
  readonly method: number;
  /** Milliseconds since 1970, or `Infinity`: both processes have the same clock. */
  readonly deadline: number;
  /** What the client sent along, as text; empty if it is nothing. */
  readonly metadata: string;
}

/** Method, deadline, bytes of metadata. */
const callHeadBytes = 2 + 8 + 4;

export function writeCall(link: Link, id: number, head: CallHead, request: Uint8Array): void {
  const metadataBytes = head.metadata === '' ? 0 : Buffer.byteLength(head.metadata);
  const at = link.begin({ kind: frameKind.call, id, headBytes: callHeadBytes + metadataBytes }, request);
  const { pool } = link;
  pool.writeUInt16LE(head.method, at);
  pool.writeDoubleLE(head.deadline, at + 2);
  pool.writeUInt32LE(metadataBytes, at + 10);
  if (metadataBytes > 0) pool.write(head.metadata, at + callHeadBytes, 'utf8');
}

export function readCall(payload: Buffer): { readonly head: CallHead; readonly request: Buffer } {
  assert(payload.length >= callHeadBytes, 'a call has a head');
  const end = callHeadBytes + payload.readUInt32LE(10);
  assert(payload.length >= end, 'a call has the metadata it announces');
  const metadata = end === callHeadBytes ? '' : payload.toString('utf8', callHeadBytes, end);
  const head = { method: payload.readUInt16LE(0), deadline: payload.readDoubleLE(2), metadata };
  return { head, request: payload.subarray(end) };
}

export function writeTaken(link: Link, id: number, cost: number): void {
  const at = link.begin({ kind: frameKind.taken, id, headBytes: 4 }, nothing);
  link.pool.writeUInt32LE(cost, at);
}

export function readTaken(payload: Buffer): number {
  assert(payload.length === 4, 'what was taken is a number');
  return payload.readUInt32LE(0);
}

/** The payload of a frame that needs none. */
export const nothing: Uint8Array = Buffer.alloc(0);

/** Of what the client sent along, the first value of each key that handlers read. */
export function metadataText(metadata: Metadata, keys: readonly string[]): string {
  let picked: Metadata | undefined;
  for (const key of keys) {
    const [value] = metadata.get(key);
    if (value !== undefined) (picked ??= new Metadata()).set(key, value);
  }
  return picked === undefined ? '' : JSON.stringify(picked.toHttp2Headers());
}

export function metadataOf(text: string): Metadata {
  return Metadata.fromHttp2Headers(JSON.parse(text) as IncomingHttpHeaders);
}

/** How a call ends. */
export interface CallEnd {
  readonly code: status;
  readonly details: string;
  readonly metadata: Metadata;
}

const empty = new Metadata();

export const endedWell: CallEnd = { code: status.OK, details: 'OK', metadata: empty };

/** What a handler may give for an error: a status, or a part of one. */
export interface CallError extends Partial<CallEnd> {
  readonly message?: string;
}

/** What grpc-js makes of it. */
export function endOf({ code, details, message, metadata }: CallError): CallEnd {
  const text = message ?? 'Unknown Error';
  if (code === undefined) return { code: status.UNKNOWN, details: text, metadata: metadata ?? empty };
  return { code, details: details ?? text, metadata: metadata ?? empty };
}

/** As the payload of a status frame. Binary trailers become text as they do in HTTP/2. */
export function statusText({ code, details, metadata }: CallEnd): string {
  return JSON.stringify({ code, details, trailers: metadata.toHttp2Headers() });
}

export function callEndOf(text: string): CallEnd {
  const { code, details, trailers } = JSON.parse(text) as { code: status; details: string; trailers: object };
  return { code, details, metadata: Metadata.fromHttp2Headers(trailers as IncomingHttpHeaders) };
}
