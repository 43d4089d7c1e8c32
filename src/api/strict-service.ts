/** Reads requests strictly: what is not exactly a message of its type is refused, never repaired. */
import { isUtf8 } from 'node:buffer';
import { BinaryReader } from '@bufbuild/protobuf/wire';
import type { MethodDefinition, ServiceDefinition, UntypedServiceImplementation } from '@grpc/grpc-js';
import { QuorateError } from '../base/error';

/** Stands in the place of a request that could not be read, so that the handlers' one funnel answers it. */
export class UnreadableRequest {
  readonly error: QuorateError;

  constructor(cause: unknown) {
    const why = cause instanceof Error ? cause.message : String(cause);
    this.error = new QuorateError('invalid-argument', `the request message could not be read: ${why}`, { cause });
  }
}

/**
 * The same service, reading strictly: text must be valid UTF-8 (the runtime would put U+FFFD for bad bytes, and so
 * silently change a key), and the message must end where its bytes end. A request that fails arrives at the handler as
 * an `UnreadableRequest`.
 */
export function strictService<S extends ServiceDefinition>(service: S): S {
  const methods = Object.entries<MethodDefinition<unknown, unknown>>(service);
  return Object.fromEntries(methods.map(([name, method]) => [name, strictMethod(method)])) as S;
}

/** Implementations of a service. */
export type Handlers = UntypedServiceImplementation;

/** A service and what answers its calls. */
export interface ApiService {
  readonly definition: ServiceDefinition;
  readonly handlers: Handlers;
}

function strictMethod(method: MethodDefinition<unknown, unknown>): MethodDefinition<unknown, unknown> {
  return {
    ...method,
    requestDeserialize(bytes) {
      try {
        const reader = new BinaryReader(bytes, strictUtf8);
        // The generated decoders take a reader in place of bytes; grpc-js's type does not know it.
        const request = method.requestDeserialize(reader as unknown as Buffer);
        if (reader.pos !== reader.len) throw new Error('it goes on after its end');
        return request;
      } catch (error) {
        return new UnreadableRequest(error);
      }
    },
  };
}

/** Unlike TextDecoder's default it keeps a byte order mark: to us that is part of the text. */
function strictUtf8(bytes: Uint8Array): string {
  if (!isUtf8(bytes)) throw new Error('a text field is not valid UTF-8');
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
}
