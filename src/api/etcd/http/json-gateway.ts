/** etcd's JSON gateway: a POST with JSON becomes a call of this member's own gRPC API. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import {
  type DescMessage,
  type DescMethod,
  type FileRegistry,
  fromBinary,
  fromJsonString,
  toBinary,
  toJsonString,
} from '@bufbuild/protobuf';
import { Client, credentials, Metadata, type ServiceError, status } from '@grpc/grpc-js';
import { etcdLimits } from '../limits';
import { jsonMethods, streamsThatStay } from './json-methods';
import { errorLine, replyError, replyJson, resultLine } from './replies';

/** A body is JSON, and base64 takes a third more than the bytes it stands for. */
const maxBodyBytes = 2 * (etcdLimits.maxCommandBytes + etcdLimits.requestOverheadBytes);

const sameBytes = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** Answers the paths of `jsonMethods`. Limits, deadlines and errors are those of the gRPC API behind it. */
export class JsonGateway {
  readonly #registry: () => Promise<FileRegistry>;
  readonly #client: Client;

  /**
   * @param registry is asked for at the first call
   * @param address where this member's own gRPC API is reached, in the clear
   */
  constructor(registry: () => Promise<FileRegistry>, address: string) {
    this.#registry = registry;
    this.#client = new Client(address, credentials.createInsecure(), {
      'grpc.max_receive_message_length': -1,
      'grpc.max_send_message_length': -1,
    });
  }

  close(): void {
    this.#client.close();
  }

  /** Returns false if the path is none of its own. Never rejects. */
  async answer(path: string, request: IncomingMessage, response: ServerResponse): Promise<boolean> {
    const name = jsonMethods.get(path);
    const method = name === undefined ? undefined : await this.#method(name);
    if (method === undefined || request.method !== 'POST') return false;
    try {
      const call = { method, metadata: metadataOf(request), bodies: requestsIn(await bodyOf(request), method) };
      if (method.methodKind === 'unary') await this.#unary(call, response);
      else await this.#stream(call, response);
    } catch (error) {
      const details = error instanceof Error ? error.message : String(error);
      if (!response.headersSent) replyError(response, { code: status.INVALID_ARGUMENT, details });
    }
    return true;
  }

  async #method(name: string): Promise<DescMethod | undefined> {
    const [service = '', method = ''] = name.split('/');
    const registry = await this.#registry();
    return registry.getService(service)?.methods.find((candidate) => candidate.name === method);
  }

  async #unary({ method, metadata, bodies }: GatewayCall, response: ServerResponse): Promise<void> {
    const [body = new Uint8Array()] = bodies;
    const end = await new Promise<ServiceError | Buffer>((resolve) => {
      const path = pathOf(method);
      const call = this.#client.makeUnaryRequest(path, sameBytes, sameBytes, body, metadata, (error, answer) => {
        resolve(error ?? answer ?? Buffer.alloc(0));
      });
      response.once('close', () => {
        call.cancel();
      });
    });
    if (end instanceof Error) replyError(response, end);
    else replyJson(response, 200, jsonOf(method.output, end));
  }

  /** Line by line, as fast as the client takes them. The call ends when the client leaves. */
  async #stream({ method, metadata, bodies }: GatewayCall, response: ServerResponse): Promise<void> {
    const call = this.#client.makeBidiStreamRequest(pathOf(method), sameBytes, sameBytes, metadata);
    response.once('close', () => {
      call.cancel();
    });
    for (const body of bodies) call.write(body);
    if (!streamsThatStay.has(nameOf(method))) call.end();
    response.writeHead(200, { 'Content-Type': 'application/json' });
    response.flushHeaders();
    await pipeline(linesOf(call, method.output), response);
  }
}

async function* linesOf(answers: AsyncIterable<Buffer>, type: DescMessage): AsyncGenerator<string, void, undefined> {
  try {
    for await (const answer of answers) yield resultLine(jsonOf(type, answer));
  } catch (error) {
    yield errorLine(error as ServiceError);
  }
}

interface GatewayCall {
  readonly method: DescMethod;
  readonly metadata: Metadata;
  /** The requests, as they travel. */
  readonly bodies: readonly Uint8Array[];
}

function nameOf({ parent, name }: DescMethod): string {
  return `${parent.typeName}/${name}`;
}

function pathOf(method: DescMethod): string {
  return `/${nameOf(method)}`;
}

/** Only what etcd passes on. */
function metadataOf({ headers }: IncomingMessage): Metadata {
  const metadata = new Metadata();
  if (headers.authorization !== undefined) metadata.set('authorization', headers.authorization);
  return metadata;
}

/** @throws Error for a body that is too large, or ends too early */
async function bodyOf(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  let length = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    length += part.length;
    // What is too much is read all the same: a client that is still sending would not see the answer.
    if (length <= maxBodyBytes) parts.push(part);
  }
  if (length > maxBodyBytes) throw new Error(`the body is longer than ${maxBodyBytes} bytes`);
  return Buffer.concat(parts).toString('utf8');
}

/**
 * The requests in a body: one; for a stream also several, each on a line of its own.
 *
 * @throws Error for what is no message of the method
 */
function requestsIn(text: string, { input, methodKind }: DescMethod): readonly Uint8Array[] {
  const isMany = methodKind === 'bidi_streaming' && text.trim().includes('\n') && !isJson(text);
  const texts = isMany ? text.trim().split('\n') : [text.trim() === '' ? '{}' : text];
  return texts.map((one) => toBinary(input, fromJsonString(input, one, { ignoreUnknownFields: true })));
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** Names as in the schema, 64-bit numbers as text, bytes in base64, nothing that has its default. */
function jsonOf(type: DescMessage, bytes: Uint8Array): string {
  return toJsonString(type, fromBinary(type, bytes), { useProtoFieldName: true });
}
