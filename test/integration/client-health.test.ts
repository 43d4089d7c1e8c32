/** Health checks, health watches and reflection, as load balancers, probes and generic clients use them. */
import {
  Client,
  type ClientReadableStream,
  connectivityState,
  credentials,
  type ServiceDefinition,
  type ServiceError,
  status,
} from '@grpc/grpc-js';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { service as healthService } from 'grpc-health-check';
import { type FakeMember, startFakeMember } from '../support/fake-member';

interface HealthAnswer {
  readonly status: string;
}

let member: FakeMember;
let client: Client;
const { Check: check, Watch: watch } = healthService as unknown as ServiceDefinition;

beforeEach(async () => {
  member = await startFakeMember();
  member.health.start();
  client = new Client(member.address, credentials.createInsecure());
});

afterEach(async () => {
  client.close();
  member.health.stop();
  await member.server.drain(300);
});

function ask(service: string): Promise<string> {
  return new Promise((resolve, reject) => {
    if (check === undefined) throw new Error('health has a Check');
    client.makeUnaryRequest<unknown, HealthAnswer>(
      check.path,
      check.requestSerialize,
      check.responseDeserialize as (bytes: Buffer) => HealthAnswer,
      { service },
      (error, answer) => {
        if (error === null) resolve(answer?.status ?? '');
        else reject(error);
      },
    );
  });
}

function watchReadiness(): ClientReadableStream<HealthAnswer> {
  if (watch === undefined) throw new Error('health has a Watch');
  return client.makeServerStreamRequest<unknown, HealthAnswer>(
    watch.path,
    watch.requestSerialize,
    watch.responseDeserialize as (bytes: Buffer) => HealthAnswer,
    { service: 'readiness' },
  );
}

async function becomes(service: string, expected: string): Promise<void> {
  while ((await ask(service)) !== expected) await sleep(5);
}

describe('grpc.health.v1', () => {
  it.each(['', 'readiness', 'quorate.v1.KVService'])('%j follows the quorum', async (service) => {
    expect(await ask(service)).toBe('SERVING');
    member.quorum = false;
    await becomes(service, 'NOT_SERVING');
    member.quorum = true;
    await becomes(service, 'SERVING');
  });

  it.each(['liveness', 'quorate.v1.ClusterService'])('%j never speaks of the quorum', async (service) => {
    member.quorum = false;
    await becomes('', 'NOT_SERVING');
    expect(await ask(service)).toBe('SERVING');
  });

  it('knows no other service', async () => {
    await expect(ask('nothing')).rejects.toMatchObject({ code: 5 });
  });

  it('tells watchers of every change, and that the member stops', async () => {
    const seen: string[] = [];
    const call = watchReadiness();
    call.on('data', (answer: HealthAnswer) => seen.push(answer.status));
    call.on('error', () => undefined);
    const waitFor = async (count: number) => {
      while (seen.length < count) await sleep(5);
    };
    await waitFor(1);
    member.quorum = false;
    await waitFor(2);
    member.quorum = true;
    await waitFor(3);
    member.health.stop();
    await waitFor(4);
    expect(seen).toEqual(['SERVING', 'NOT_SERVING', 'SERVING', 'NOT_SERVING']);
    call.cancel();
  });

  it('watches end when the listener closes, with their connections', async () => {
    const call = watchReadiness();
    const [ended] = await Promise.all([
      once(call, 'error') as Promise<ServiceError[]>,
      once(call, 'data').then(() => member.server.drain(300)),
    ]);
    expect(ended[0]?.code).toBe(status.UNAVAILABLE);
    expect(client.getChannel().getConnectivityState(false)).not.toBe(connectivityState.READY);
  }, 10_000);
});

describe('reflection', () => {
  const buf = join(__dirname, '../../node_modules/.bin/buf');
  const curl = async (...args: string[]) => {
    const all = ['curl', '--protocol', 'grpc', '--http2-prior-knowledge', '--emit-defaults', ...args];
    return JSON.parse((await promisify(execFile)(buf, all)).stdout) as unknown;
  };

  it.each(['grpc-v1', 'grpc-v1alpha'])(
    'lets buf curl put, get and check with nothing but %s',
    async (version) => {
      const with_ = ['--reflect-protocol', version];
      const base = `http://${member.address}`;
      const put = await curl(...with_, '-d', '{"key":"a","text":"1"}', `${base}/quorate.v1.KVService/Put`);
      expect(put).toMatchObject({ revision: '2', createRevision: '2', version: '1' });
      const got = await curl(...with_, '-d', '{"key":"a"}', `${base}/quorate.v1.KVService/Get`);
      expect(got).toMatchObject({ found: true, kv: { key: 'a', text: '1' } });
      expect(await curl(...with_, '-d', '{}', `${base}/quorate.v1.ClusterService/ListMembers`)).toMatchObject({
        leaderId: '7',
      });
      expect(await curl(...with_, '-d', '{"service":"liveness"}', `${base}/grpc.health.v1.Health/Check`)).toEqual({
        status: 'SERVING',
      });
      expect(await curl(...with_, '-d', '{}', `${base}/grpc.health.v1.Health/List`)).toHaveProperty(
        'statuses.readiness',
      );
    },
    30_000,
  );

  it('lists the services of this listener and no others', async () => {
    const args = [
      'curl',
      '--protocol',
      'grpc',
      '--http2-prior-knowledge',
      '--list-services',
      `http://${member.address}`,
    ];
    const { stdout } = await promisify(execFile)(buf, args);
    expect(stdout.trim().split('\n').sort()).toEqual([
      'etcdserverpb.Auth',
      'etcdserverpb.Cluster',
      'etcdserverpb.KV',
      'etcdserverpb.Lease',
      'etcdserverpb.Maintenance',
      'etcdserverpb.Watch',
      'grpc.health.v1.Health',
      'quorate.v1.ClusterService',
      'quorate.v1.ElectionService',
      'quorate.v1.KVService',
      'quorate.v1.LeaseService',
      'quorate.v1.LockService',
      'quorate.v1.MaintenanceService',
      'v3electionpb.Election',
      'v3lockpb.Lock',
    ]);
  }, 30_000);
});
