/** Responses that are bytes already: what many clients are told alike is encoded once, not once for each. */
import type { ServiceDefinition } from '@grpc/grpc-js';

/** A response, or the bytes of one. */
export type Encoded<Response> = Response | Buffer;

/**
 * The same service; handlers of the methods `names` may write bytes in place of a response (`Encoded`), sent as they are.
 * Bytes of messages that follow each other are the message of all their fields, so a response can be put together of
 * parts that were encoded before.
 */
export function withEncodedResponses<S extends ServiceDefinition>(
  service: S,
  ...names: readonly (keyof S & string)[]
): S {
  const changed = names.flatMap((name) => {
    const method = service[name];
    return method === undefined ? [] : [[name, encoded(method)] as const];
  });
  return { ...service, ...Object.fromEntries(changed) };
}

function encoded(method: ServiceDefinition[string]): ServiceDefinition[string] {
  return {
    ...method,
    responseSerialize: (response: unknown): Buffer =>
      Buffer.isBuffer(response) ? response : method.responseSerialize(response),
  };
}
