/** The client: the only entrance to `client/`, and what the package exports as `quorate/client`. */
export { QuorateClient } from './client';
export { QuorateError, type ErrorCode, type ErrorDetails, type Outcome } from '../base/error';
export { DEFAULT_CLIENT_PORT, parseEndpoint, type ClientOptions } from './options';
export type * from './types';
