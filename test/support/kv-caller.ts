/** Typed calls of the key-value service as promises. */
import { credentials, Metadata, type ServiceError } from '@grpc/grpc-js';
import {
  type GetResponse,
  KVServiceClient,
  type ListRequest,
  type ListResponse,
  type PutRequest,
  type PutResponse,
} from '../../src/gen/quorate/v1/kv';
import { getRequest, listRequest, putRequest } from './kv-requests';

type Unary<Request, Response> = (
  request: Request,
  metadata: Metadata,
  options: { deadline?: number },
  callback: (error: ServiceError | null, response: Response) => void,
) => unknown;

/** A client of one member. */
export class KvCaller {
  readonly kv: KVServiceClient;

  constructor(address: string) {
    this.kv = new KVServiceClient(address, credentials.createInsecure());
  }

  ask<Request, Response>(method: Unary<Request, Response>, request: Request, timeoutMs?: number): Promise<Response> {
    const options = timeoutMs === undefined ? {} : { deadline: Date.now() + timeoutMs };
    return new Promise((resolve, reject) => {
      method.call(this.kv, request, new Metadata(), options, (error, response) => {
        if (error === null) resolve(response);
        else reject(error);
      });
    });
  }

  put(key: string, text: string, timeoutMs?: number): Promise<PutResponse> {
    return this.putValue(key, { $case: 'text', value: text }, timeoutMs);
  }

  putValue(key: string, value: PutRequest['value'], timeoutMs?: number): Promise<PutResponse> {
    return this.ask<PutRequest, PutResponse>(this.kv.put, putRequest({ key, value }), timeoutMs);
  }

  get(key: string, consistency: 0 | 1 | 2 = 0): Promise<GetResponse> {
    return this.ask(this.kv.get, getRequest({ key, consistency }));
  }

  list(request: Partial<ListRequest>): Promise<ListResponse> {
    return this.ask(this.kv.list, listRequest(request));
  }

  close(): void {
    this.kv.close();
  }
}

/** The error that a call ends with. */
export async function failure(call: Promise<unknown>): Promise<ServiceError> {
  return call.then(
    () => {
      throw new Error('the call should have failed');
    },
    (error: unknown) => error as ServiceError,
  );
}

/** Waits for something that will be seen soon. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
}
