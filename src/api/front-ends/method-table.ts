/** The methods that are served through front ends, each with its codec and handler. */
import { assert } from '../../base/assert';
import type { GrpcSideOptions, ServiceTaker } from '../grpc-side';
import { strictService } from '../strict-service';
import type { MethodShape } from './control';
import type { LinkedCall, LinkedCallback } from './linked-call';

/** A handler, given one of our calls in the place of grpc-js's. The callback is there where there is one response. */
type LinkedHandler = (call: LinkedCall, callback?: LinkedCallback) => void;

/** A method at work. */
export interface ServedMethod extends MethodShape {
  readonly handler: LinkedHandler;
  readonly deserialize: (bytes: Buffer) => unknown;
  readonly serialize: (response: unknown) => Buffer;
}

/** Everything that a side of gRPC serves, as grpc-js's server would register it. */
export function methodTable({ services, additions }: GrpcSideOptions): readonly ServedMethod[] {
  const methods: ServedMethod[] = [];
  const taker: ServiceTaker = {
    addService(definition, handlers) {
      for (const [name, method] of Object.entries(definition)) {
        const handler = handlers[name] ?? handlers[method.originalName ?? name];
        assert(handler !== undefined, 'each method of a service has a handler');
        methods.push({
          path: method.path,
          requestStream: method.requestStream,
          responseStream: method.responseStream,
          deserialize: method.requestDeserialize,
          serialize: method.responseSerialize,
          // Our calls have what the handlers of this house, and those of the additions, use of a call: see LinkedCall.
          handler: handler as unknown as LinkedHandler,
        });
      }
    },
  };
  for (const { definition, handlers } of services) taker.addService(strictService(definition), handlers);
  for (const addition of additions) addition.addToServer(taker);
  return methods;
}
