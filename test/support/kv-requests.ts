/** Requests of the key-value service with everything that a test does not care about. */
import {
  type BatchGetRequest,
  type Compare,
  Compare_Operator,
  type DeleteRangeRequest,
  type DeleteRequest,
  type GetHistoryRequest,
  type GetRequest,
  type ListRequest,
  type Operation,
  type PutRequest,
  type StreamListRequest,
  type TxnRequest,
} from '../../src/gen/quorate/v1/kv';

const newest = { consistency: 0, revision: 0, maxStaleness: undefined, minRevision: 0 } as const;

export function putRequest(parts: Partial<PutRequest>): PutRequest {
  const bare = { key: 'k', value: { $case: 'text', value: 'v' }, expiry: undefined, requestId: '' } as const;
  return { ...bare, ifRevision: 0, ifAbsent: false, returnPrevious: false, ...parts };
}

export function getRequest(parts: Partial<GetRequest>): GetRequest {
  return { ...newest, key: 'k', ...parts };
}

export function deleteRequest(parts: Partial<DeleteRequest>): DeleteRequest {
  return { key: 'k', ifRevision: 0, returnPrevious: false, requestId: '', ...parts };
}

export function listRequest(parts: Partial<ListRequest>): ListRequest {
  return { ...newest, selection: undefined, pageSize: 0, pageToken: '', keysOnly: false, pageBytes: 0, ...parts };
}

export function txnRequest(parts: Partial<TxnRequest>): TxnRequest {
  return { compares: [], success: [], failure: [], requestId: '', ...parts };
}

export function batchGetRequest(parts: Partial<BatchGetRequest>): BatchGetRequest {
  return { ...newest, keys: [], keysOnly: false, ...parts };
}

export function streamListRequest(parts: Partial<StreamListRequest>): StreamListRequest {
  return { ...newest, selection: undefined, keysOnly: false, ...parts };
}

export function deleteRangeRequest(parts: Partial<DeleteRangeRequest>): DeleteRangeRequest {
  return { selection: undefined, requestId: '', ...parts };
}

export function getHistoryRequest(parts: Partial<GetHistoryRequest>): GetHistoryRequest {
  const { consistency, maxStaleness, minRevision } = newest;
  return { key: 'k', limit: 0, beforeRevision: 0, keysOnly: false, consistency, maxStaleness, minRevision, ...parts };
}

/** A condition that a key is equal to something. */
export function compare(
  key: string,
  target: Compare['target'],
  operator: Compare['operator'] = Compare_Operator.EQUAL,
): Compare {
  return { selection: { $case: 'key', value: key }, operator, target };
}

type OperationCase = NonNullable<Operation['operation']>;

/** One step of a transaction. */
export function operation(value: OperationCase): Operation {
  return { operation: value };
}

/** A step that stores a text. */
export function putOperation(key: string, text: string): Operation {
  const value = { key, value: { $case: 'text', value: text }, expiry: undefined, returnPrevious: false } as const;
  return operation({ $case: 'put', value });
}
