import type { ServiceDefinition } from '@grpc/grpc-js';
import { methodTable } from '../../../../src/api/front-ends/method-table';
import { UnreadableRequest } from '../../../../src/api/strict-service';
import { Health } from '../../../../src/ops/health';
import { describeApi } from '../../../../src/ops/reflection';
import { testLimits } from '../../../support/fake-member';
import { FakeTime } from '../../../support/fake-time';

const nothing = { limits: testLimits, maxStreamsPerConnection: 1, services: [], additions: [] };

/** A method that reads no message. */
const definition: ServiceDefinition = {
  ask: {
    ...{ path: '/test.Questions/Ask', requestStream: false, responseStream: true, originalName: 'Ask' },
    requestSerialize: (text: string) => Buffer.from(text),
    requestDeserialize: () => {
      throw new Error('not a question');
    },
    responseSerialize: (text: string) => Buffer.from(text),
    responseDeserialize: (bytes) => bytes.toString(),
  },
};

describe('the methods served through front ends', () => {
  it('are those of our services, which read strictly, under either of their names', () => {
    const Ask = jest.fn();
    const [method] = methodTable({ ...nothing, services: [{ definition, handlers: { Ask } }] });
    expect(method).toMatchObject({
      path: '/test.Questions/Ask',
      requestStream: false,
      responseStream: true,
      handler: Ask,
    });
    expect(method?.deserialize(Buffer.alloc(0))).toBeInstanceOf(UnreadableRequest);
    expect(method?.serialize('answer')).toEqual(Buffer.from('answer'));
  });

  it('are those of health and reflection too', () => {
    const health = new Health({ scheduler: new FakeTime(), hasQuorum: () => true, intervalMs: 1 });
    const methods = methodTable({ ...nothing, additions: [health, describeApi().reflection] });
    const streams = Object.fromEntries(methods.map((it) => [it.path, [it.requestStream, it.responseStream]]));
    expect(streams).toMatchObject({
      '/grpc.health.v1.Health/Check': [false, false],
      '/grpc.health.v1.Health/Watch': [false, true],
      '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo': [true, true],
      '/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo': [true, true],
    });
  });

  it('have a handler each', () => {
    expect(() => methodTable({ ...nothing, services: [{ definition, handlers: {} }] })).toThrow('has a handler');
  });
});
