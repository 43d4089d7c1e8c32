// The requests of the benchmarks, encoded beforehand: files of gRPC frames for the load generator.
import { writeFile } from 'node:fs/promises';
import { field, frame, message, numberField } from './protobuf.mjs';

const many = (count, make) => Buffer.concat(Array.from({ length: count }, (_, at) => frame(make(at))));

export const keyText = (at) => `bench/${String(at).padStart(8, '0')}`;

/** Of quorate.v1. */
export const native = {
  put: (at, value) => message(field(1, keyText(at)), field(3, value)),
  get: (at) => field(1, keyText(at)),
};

const greater = 1;
const etcdPut = (at, value) => message(field(1, keyText(at)), field(2, value));
const asOperation = (put) => field(2, put);

/** Of etcdserverpb, for both systems. */
export const etcd = {
  put: etcdPut,
  get: (at) => field(1, keyText(at)),
  staleGet: (at) => message(field(1, keyText(at)), numberField(7, 1)),
  /** 100 keys from one on. */
  range: (at) => message(field(1, keyText(at)), field(2, 'bench0'), numberField(3, 100)),
  /** If the key is there put it, else create it. */
  swap(at, value) {
    const isThere = message(numberField(1, greater), field(3, keyText(at)), numberField(4, 0));
    const put = asOperation(etcdPut(at, value));
    return message(field(1, isThere), field(2, put), field(3, put));
  },
  /** `count` puts in one transaction. */
  putMany: (at, value, count) =>
    message(...Array.from({ length: count }, (_, next) => field(2, asOperation(etcdPut(at + next, value))))),
  keepAlive: (id) => numberField(1, id),
  watch: (prefix, end) => field(1, message(field(1, prefix), field(2, end))),
};

/** Writes one request for each of `keys` keys. */
export async function writeRequests(file, keys, make) {
  await writeFile(file, many(keys, make));
}

/** Writes one native PutRequest for each of `keys` keys. */
export function writePuts(file, { keys, valueBytes }) {
  const value = Buffer.alloc(valueBytes, 'v');
  return writeRequests(file, keys, (at) => native.put(at, value));
}

/** Writes one native GetRequest for each of `keys` keys. */
export function writeGets(file, { keys }) {
  return writeRequests(file, keys, native.get);
}
