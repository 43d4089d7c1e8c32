/** An end of a range that is given and empty: to etcd's `Range`, that is another thing than none. */
import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';
import { KVService, type RangeRequest } from '../../gen/etcd/etcdserverpb/kv';

/** Of `range_end` in a `RangeRequest`. */
const rangeEndNumber = 2;

/**
 * The same service, where the end of a `Range` that is given and empty means what one zero byte does: all from the key on.
 * So it does in etcd, and clients rely on it (`new Range(key)` of npm's etcd3), although protobuf's rules say that such a
 * field is as good as not given. Only here: what goes through etcd's log loses the difference.
 */
export const kvServiceWithGivenEnds: typeof KVService = {
  ...KVService,
  range: {
    ...KVService.range,
    requestDeserialize(input: Uint8Array | BinaryReader): RangeRequest {
      const reader = input instanceof BinaryReader ? input : new BinaryReader(input);
      const request = KVService.range.requestDeserialize(reader as unknown as Buffer);
      return request.rangeEnd.length === 0 && isEndGiven(reader) ? { ...request, rangeEnd: Buffer.of(0) } : request;
    },
  },
};

/** Reads the message again, and leaves the reader where it was. */
function isEndGiven(reader: BinaryReader): boolean {
  const end = reader.pos;
  reader.pos = 0;
  while (reader.pos < end) {
    const [number, wireType] = reader.tag();
    if (number === rangeEndNumber && wireType === WireType.LengthDelimited) {
      reader.pos = end;
      return true;
    }
    reader.skip(wireType, number);
  }
  return false;
}
