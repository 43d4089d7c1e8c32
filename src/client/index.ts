/** The client: the only entrance to `client/`, and what the package exports as `quorate/client`. */
export { QuorateClient } from './client';
export { QuorateError, type ErrorCode, type ErrorDetails, type Outcome } from '../base/error';
export { DEFAULT_CLIENT_PORT, parseEndpoint, type ClientOptions } from './options';
export { newRequestId } from './request-id';
export type { ClientTlsOptions, Pem } from './tls';
export { op, when, type TxnBuilder } from './txn';
export type * from './cluster-types';
export type { ElectionState, Leadership, ObserveOptions } from './elections';
export type { HoldOptions } from './hold';
export type { KeptLease } from './kept-lease';
export type { GrantOptions, Lease, LeaseState, RenewedLease } from './leases';
export type { HeldLock, LockOptions, LockState } from './locks';
export type { Alarm, AlarmKind, KvHash, Settings, StoreStatus } from './maintenance';
export type { SnapshotDownload, SnapshotOptions } from './snapshot';
export type * from './txn';
export type * from './types';
export type { Watch, WatchContent, WatchMessage, WatchOptions } from './watch';
export type { WriteStream, WriteStreamOptions } from './write-stream';
