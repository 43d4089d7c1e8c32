/** The Write stream over real gRPC: pipelined mutations, back-pressure, ends. */
import { once } from 'node:events';
import { type ClientDuplexStream, credentials, type ServiceError, status } from '@grpc/grpc-js';
import {
  KVServiceClient,
  type MutationResult,
  type WriteRequest,
  type WriteResponse,
} from '../../src/gen/quorate/v1/kv';
import { type FakeMember, startFakeMember } from '../support/fake-member';
import { putRequest } from '../support/kv-requests';
import { detailsOf } from '../support/raw-call';

let member: FakeMember;
let client: KVServiceClient;

beforeEach(async () => {
  member = await startFakeMember();
  client = new KVServiceClient(member.address, credentials.createInsecure());
});

afterEach(async () => {
  client.close();
  await member.server.drain(1000);
});

type Stream = ClientDuplexStream<WriteRequest, WriteResponse>;

/** A message of puts with these ids. */
const message = (ids: readonly number[]): WriteRequest => ({
  mutations: ids.map((id) => ({ id, mutation: { $case: 'put', value: putRequest({ key: `k${String(id % 10)}` }) } })),
});

/** All answers until the stream ends, and the error it ended with. */
async function answersOf(stream: Stream): Promise<{ results: MutationResult[]; error: ServiceError | undefined }> {
  const results: MutationResult[] = [];
  let error: ServiceError | undefined;
  stream.on('data', (response: WriteResponse) => results.push(...response.results));
  stream.on('error', (it: ServiceError) => (error = it));
  await once(stream, 'close').catch(() => undefined);
  return { results, error };
}

it('answers thousands of mutations in order, in messages of any size', async () => {
  const stream = client.write();
  const answers = answersOf(stream);
  let id = 0;
  for (const size of [1, 999, 1000, 3, 997, 1000, 1000]) {
    stream.write(message(Array.from({ length: size }, () => id++)));
  }
  stream.end();
  const { results, error } = await answers;
  expect(error).toBeUndefined();
  expect(results.map((result) => result.id)).toEqual(Array.from({ length: 5000 }, (_, at) => at));
  expect(results.at(-1)?.result).toMatchObject({ $case: 'put', value: { revision: 5001 } });
});

it('answers what was read when the member stops, then names the reason', async () => {
  const stream = client.write();
  const answers = answersOf(stream);
  stream.write(message([1, 2]));
  await once(stream, 'data');
  await member.server.drain(2000);
  const { results, error } = await answers;
  expect(results.map(({ id }) => id)).toEqual([1, 2]);
  expect(error?.code).toBe(status.UNAVAILABLE);
  if (error !== undefined) expect(detailsOf(error).info).toMatchObject({ reason: 'STOPPING' });
});

it('refuses a message that it cannot read, after answering what came before', async () => {
  const stream = client.write();
  const answers = answersOf(stream);
  stream.write(message([1]));
  stream.write({ mutations: [] });
  const { results, error } = await answers;
  expect(results.map(({ id }) => id)).toEqual([1]);
  expect(error?.code).toBe(status.INVALID_ARGUMENT);
});
