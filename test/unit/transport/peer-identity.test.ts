import { Metadata } from '@grpc/grpc-js';
import { answerMetadata, identityMetadata, incarnationOf } from '../../../src/transport/peer-identity';

const key = 'quorate-incarnation';
const incarnation = { disk: 0xffff_ffff_ffff_ffffn, boots: Number.MAX_SAFE_INTEGER, run: 1n };

function told(...values: string[]): Metadata {
  const metadata = new Metadata();
  for (const value of values) metadata.add(key, value);
  return metadata;
}

describe('Incarnation in metadata', () => {
  it('comes out as it went in, of calls and of answers', () => {
    expect(incarnationOf(identityMetadata({ clusterId: 1n, from: 2n, to: 3n, incarnation }))).toEqual(incarnation);
    expect(incarnationOf(answerMetadata({ clusterId: 1n, selfId: 2n, incarnation }))).toEqual(incarnation);
  });

  it.each([
    ['nothing', []],
    ['two of them', ['1.1.1', '1.1.1']],
    ['too few parts', ['1.1']],
    ['too many parts', ['1.1.1.1']],
    ['an empty part', ['1..1']],
    ['zero', ['1.0.1']],
    ['a sign', ['1.-1.1']],
    ['more than 64 bits', ['18446744073709551616.1.1']],
    ['more boots than a number can count', ['1.9007199254740992.1']],
    ['a word', ['one']],
  ])('is none when there is %s', (_, values) => {
    expect(incarnationOf(told(...values))).toBeUndefined();
  });
});
