/** Requests of the key-value service with everything that a test does not care about. */
import type { DeleteRequest, GetRequest, ListRequest, PutRequest, TxnRequest } from '../../src/gen/quorate/v1/kv';

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
