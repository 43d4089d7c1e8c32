import { kvServiceWithGivenEnds } from '../../../../src/api/etcd/given-ends';
import { strictService } from '../../../../src/api/strict-service';
import { RangeRequest } from '../../../../src/gen/etcd/etcdserverpb/kv';

const key = [0x0a, 1, 0x6b];
const noEnd = [0x12, 0];
const someEnd = [0x12, 1, 0x6d];
const limit = [0x18, 5];

describe('The end of a range in a RangeRequest', () => {
  const { requestDeserialize } = strictService(kvServiceWithGivenEnds).range;

  it.each([
    ['is to the last key where it is given and empty', [...key, ...noEnd, ...limit], [0]],
    ['is to the last key wherever it stands', [...limit, ...noEnd, ...key], [0]],
    ['is none where it is not given', [...key, ...limit], []],
    ['is itself where it is given', [...key, ...limit, ...someEnd], [0x6d]],
    ['is the last one of two', [...noEnd, ...key, ...someEnd], [0x6d]],
  ])('%s', (_, bytes, rangeEnd) => {
    const request = requestDeserialize(Buffer.from(bytes));
    expect(request).toEqual({ ...RangeRequest.decode(Buffer.from(bytes)), rangeEnd: Buffer.from(rangeEnd) });
  });
});
