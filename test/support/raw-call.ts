/** Calls a method with any bytes at all, and reads the details of an error. */
import { Client, credentials, Metadata, type ServiceError } from '@grpc/grpc-js';
import { BadRequest, ErrorInfo, RetryInfo } from '../../src/gen/google/rpc/error_details';
import { Status } from '../../src/gen/google/rpc/status';

/** One call's end: an answer or an error. */
export type RawEnd =
  | { readonly answer: Buffer; readonly error?: undefined }
  | { readonly answer?: undefined; readonly error: ServiceError };

/** A client without any generated code. */
export class RawClient {
  readonly client: Client;

  constructor(address: string) {
    this.client = new Client(address, credentials.createInsecure(), { 'grpc.max_send_message_length': -1 });
  }

  call(path: string, payload: Uint8Array, timeoutMs?: number): Promise<RawEnd> {
    const options = timeoutMs === undefined ? {} : { deadline: Date.now() + timeoutMs };
    return new Promise((resolve) => {
      this.client.makeUnaryRequest<Uint8Array, Buffer>(
        path,
        (bytes) => Buffer.from(bytes),
        (bytes) => bytes,
        payload,
        new Metadata(),
        options,
        (error, answer) => {
          resolve(error === null ? { answer: answer ?? Buffer.alloc(0) } : { error });
        },
      );
    });
  }

  close(): void {
    this.client.close();
  }
}

/** The google.rpc details of an error. */
export interface Details {
  readonly status: Status;
  readonly info: ErrorInfo;
  readonly retryAfterMs: number | undefined;
  readonly fields: readonly string[];
}

export function detailsOf(error: ServiceError): Details {
  const [bytes] = error.metadata.get('grpc-status-details-bin');
  const status = Status.decode(bytes as Buffer);
  const find = (name: string) =>
    status.details.find(({ typeUrl }) => typeUrl === `type.googleapis.com/google.rpc.${name}`);
  const retry = find('RetryInfo');
  const delay = retry === undefined ? undefined : RetryInfo.decode(retry.value).retryDelay;
  const bad = find('BadRequest');
  return {
    status,
    info: ErrorInfo.decode(find('ErrorInfo')?.value ?? Buffer.alloc(0)),
    retryAfterMs: delay === undefined ? undefined : Number(delay.seconds) * 1000 + delay.nanos / 1e6,
    fields: bad === undefined ? [] : BadRequest.decode(bad.value).fieldViolations.map(({ field }) => field),
  };
}
