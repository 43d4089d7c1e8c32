/** How answers and errors look in etcd's JSON gateway. */
import type { ServerResponse } from 'node:http';
import { status } from '@grpc/grpc-js';

/** An error as a call has it. */
export interface CallError {
  readonly code: status;
  readonly details: string;
}

/** The HTTP status that stands for one of gRPC, as grpc-gateway has it. */
const httpStatuses: Readonly<Record<status, number>> = {
  [status.OK]: 200,
  [status.CANCELLED]: 499,
  [status.UNKNOWN]: 500,
  [status.INVALID_ARGUMENT]: 400,
  [status.DEADLINE_EXCEEDED]: 504,
  [status.NOT_FOUND]: 404,
  [status.ALREADY_EXISTS]: 409,
  [status.PERMISSION_DENIED]: 403,
  [status.RESOURCE_EXHAUSTED]: 429,
  [status.FAILED_PRECONDITION]: 400,
  [status.ABORTED]: 409,
  [status.OUT_OF_RANGE]: 400,
  [status.UNIMPLEMENTED]: 501,
  [status.INTERNAL]: 500,
  [status.UNAVAILABLE]: 503,
  [status.DATA_LOSS]: 500,
  [status.UNAUTHENTICATED]: 401,
};

/** Clients look at `error` or at `message`; versions of etcd differ in which they send. */
export function replyError(response: ServerResponse, { code, details }: CallError): void {
  const body = { error: details, message: details, code, details: [] };
  replyJson(response, httpStatuses[code], JSON.stringify(body));
}

export function replyJson(response: ServerResponse, httpStatus: number, body: string): void {
  reply(response, { status: httpStatus, contentType: 'application/json', body });
}

export function replyText(response: ServerResponse, httpStatus: number, body: string): void {
  reply(response, { status: httpStatus, contentType: 'text/plain; charset=utf-8', body });
}

/** A whole answer of HTTP. */
export interface HttpReply {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
}

export function reply(response: ServerResponse, { status: httpStatus, contentType, body }: HttpReply): void {
  response.writeHead(httpStatus, { 'Content-Type': contentType, 'X-Content-Type-Options': 'nosniff' });
  response.end(body);
}

/** One line of a stream. */
export function resultLine(message: string): string {
  return `{"result":${message}}\n`;
}

/** The last line of a stream that failed. */
export function errorLine({ code, details }: CallError): string {
  const error = { grpc_code: code, http_code: httpStatuses[code], message: details, http_status: status[code] };
  return `${JSON.stringify({ error })}\n`;
}
