/** Responses that are bytes already: what many clients are told alike is encoded once, not once for each. */
import type { ServiceDefinition } from '@grpc/grpc-js';

/** A response, or the bytes of one. */
export type Encoded<Response> = Response | Buffer;

/**
 * The same service; handlers of the method `name` may write bytes in place of a response (`Encoded`), sent as they are.
 * Bytes of messages that follow each other are the message of all their fields, so a response can be put together of
 * parts that were encoded before.
 */
export function withEncodedResponses<S extends ServiceDefinition>(service: S, name: keyof S & string): S {
  const method = service[name];
  if (method === undefined) return service;
  const responseSerialize = (response: unknown): Buffer =>
    Buffer.isBuffer(response) ? response : method.responseSerialize(response);
  return { ...service, [name]: { ...method, responseSerialize } };
}
