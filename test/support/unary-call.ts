/** One unary call of any generated client, as a promise that can be given up. */
import { type Client, type ClientUnaryCall, Metadata, type ServiceError } from '@grpc/grpc-js';

type Method<Request, Response> = (
  request: Request,
  metadata: Metadata,
  options: { deadline?: number },
  callback: (error: ServiceError | null, response: Response) => void,
) => ClientUnaryCall;

/** A call under way. */
export interface UnaryCall<Response> extends Promise<Response> {
  cancel(): void;
}

/** Calls `method` of `client`. @param timeoutMs no deadline without it */
export function unaryCall<Request, Response>(
  client: Client,
  method: Method<Request, Response>,
  request: Request,
  timeoutMs?: number,
): UnaryCall<Response> {
  let call: ClientUnaryCall | undefined;
  const options = timeoutMs === undefined ? {} : { deadline: Date.now() + timeoutMs };
  const answered = new Promise<Response>((resolve, reject) => {
    call = method.call(client, request, new Metadata(), options, (error: ServiceError | null, response: Response) => {
      if (error === null) resolve(response);
      else reject(error);
    });
  });
  return Object.assign(answered, { cancel: () => call?.cancel() });
}
