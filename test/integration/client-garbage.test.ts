/** Whatever arrives on the client listener: an error, no crash, no effect. */
import { connect as connectHttp2 } from 'node:http2';
import { connect as connectTcp } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { status } from '@grpc/grpc-js';
import { seededRng } from '../../src/base/rng';
import { GetRequest, GetResponse, ListRequest, PutRequest } from '../../src/gen/quorate/v1/kv';
import { type FakeMember, startFakeMember } from '../support/fake-member';
import { query } from '../support/kv-entries';
import { getRequest, listRequest, putRequest } from '../support/kv-requests';
import { detailsOf, RawClient } from '../support/raw-call';

const names = ['Put', 'Get', 'BatchGet', 'List', 'Delete', 'DeleteRange', 'Txn', 'GetHistory'];
const methods = names.map((name) => `/quorate.v1.KVService/${name}`);
const all = [...methods, '/quorate.v1.ClusterService/GetStatus', '/quorate.v1.ClusterService/ListMembers'];
const putPath = '/quorate.v1.KVService/Put';
let member: FakeMember;
let raw: RawClient;

async function start(): Promise<void> {
  member = await startFakeMember();
  raw = new RawClient(member.address);
}

async function stop(): Promise<void> {
  raw.close();
  await member.server.drain(500);
}

beforeAll(start);
afterAll(stop);

/** The member is alive, holds exactly what it held, and met no bug. */
async function expectUnharmed(): Promise<void> {
  const { answer } = await raw.call(
    '/quorate.v1.KVService/Get',
    GetRequest.encode(getRequest({ key: 'nothing' })).finish(),
  );
  expect(GetResponse.decode(answer ?? Buffer.alloc(0))).toEqual({ found: false, kv: undefined, revision: 1 });
  expect(member.store.reader.keyCount).toBe(0);
  expect(member.bugs).toEqual([]);
  expect(member.calls.inFlight).toBe(0);
}

function randomBytes(rng: ReturnType<typeof seededRng>, length: number): Buffer {
  return Buffer.from(Array.from({ length }, () => rng.nextUint32() & 0xff));
}

describe('garbage in a valid gRPC frame', () => {
  it('is refused on every method with INVALID_ARGUMENT, or is a valid message that changes nothing', async () => {
    const rng = seededRng(2026);
    let refused = 0;
    for (let round = 0; round < 200; round++) {
      // Bytes at random are hardly ever a Put of a key and a value with nothing else; those would be rightly stored.
      const ends = await Promise.all(all.map((path) => raw.call(path, randomBytes(rng, 3 + (round % 97)))));
      for (const { error } of ends) {
        if (error === undefined) continue;
        refused++;
        expect(error.code).toBe(status.INVALID_ARGUMENT);
        expect(detailsOf(error).info.metadata['outcome']).toBe('not-done');
      }
    }
    expect(refused).toBeGreaterThan(800);
    await expectUnharmed();
  }, 30_000);

  it('made by changing one byte of a good message never stores another key than the one it names', async () => {
    const good = Buffer.from(PutRequest.encode(putRequest({ key: 'kkkkkkkk' })).finish());
    for (let at = 0; at < good.length; at++) {
      for (const byte of [0x00, 0x7f, 0x80, 0xc0, 0xff]) {
        const changed = Buffer.from(good);
        changed[at] = byte;
        await raw.call(putPath, changed);
      }
    }
    for (const { key } of member.store.reader.range(query()).records) {
      expect(Buffer.from(key).toString('utf8')).not.toContain('\uFFFD');
    }
    await stop();
    await start();
    await expectUnharmed();
  });

  it('cut off anywhere is refused, except where what is left is a message', async () => {
    const good = ListRequest.encode(
      listRequest({
        selection: { $case: 'range', value: { start: 'a', end: 'b' } },
        pageSize: 5,
        pageToken: 'zz',
        keysOnly: true,
        consistency: 1,
      }),
    ).finish();
    for (let length = 1; length < good.length; length++)
      await raw.call('/quorate.v1.KVService/List', good.subarray(0, length));
    await expectUnharmed();
  });
});

describe('size', () => {
  it('a key of 10 MiB is refused', async () => {
    const payload = PutRequest.encode(putRequest({ key: 'k'.repeat(10 * 1024 * 1024) })).finish();
    const { error } = await raw.call(putPath, payload);
    expect(error?.code).toBe(status.RESOURCE_EXHAUSTED);
    await expectUnharmed();
  });

  it('an oversized key within the message limit names limit and actual', async () => {
    const payload = PutRequest.encode(putRequest({ key: 'k'.repeat(60_000) })).finish();
    const { error } = await raw.call(putPath, payload);
    expect(error?.code).toBe(status.INVALID_ARGUMENT);
    expect(error?.details).toContain('it is 60000 bytes, allowed is at most 100 bytes');
    await expectUnharmed();
  });

  it('an empty message is an empty request', async () => {
    const { error } = await raw.call(putPath, Buffer.alloc(0));
    expect(error === undefined ? undefined : detailsOf(error).fields).toEqual(['key']);
    await expectUnharmed();
  });
});

describe('unknown methods', () => {
  it.each(['/quorate.v1.KVService/Nothing', '/nothing', '/', '/a/b/c'])('%s is UNIMPLEMENTED', async (path) => {
    const { error } = await raw.call(path, Buffer.alloc(3));
    expect(error?.code).toBe(status.UNIMPLEMENTED);
    await expectUnharmed();
  });
});

describe('garbage on the connection', () => {
  it('bytes that are not HTTP/2 harm nobody', async () => {
    const rng = seededRng(7);
    const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
    for (let round = 0; round < 40; round++) {
      const socket = connectTcp(Number(member.address.split(':')[1]), '127.0.0.1');
      socket.on('error', () => undefined);
      const noise = randomBytes(rng, 1 + (rng.nextUint32() % 3000));
      socket.end(round % 2 === 0 ? noise : Buffer.concat([preface, noise]));
      await sleep(5);
      if (round % 3 === 0) socket.destroy();
    }
    await expectUnharmed();
  });

  it('an HTTP/2 request that is not gRPC, or whose frames lie, harms nobody', async () => {
    const session = connectHttp2(`http://${member.address}`);
    session.on('error', () => undefined);
    const send = (headers: Record<string, string>, body: Buffer) =>
      new Promise<void>((resolve) => {
        const stream = session.request({ ':method': 'POST', ':path': putPath, ...headers });
        stream.on('error', () => undefined);
        stream.once('close', resolve);
        stream.resume();
        stream.end(body);
      });
    const grpc = { 'content-type': 'application/grpc', te: 'trailers' };
    const good = PutRequest.encode(putRequest({ key: 'a' })).finish();
    const frame = (flag: number, length: number) => {
      const header = Buffer.alloc(5);
      header[0] = flag;
      header.writeUInt32BE(length, 1);
      return Buffer.concat([header, good]);
    };
    await send({ 'content-type': 'text/plain' }, Buffer.from('hello'));
    await send(grpc, frame(0, good.length + 1000)); // ends before its length
    await send({ ...grpc, 'grpc-encoding': 'gzip' }, frame(1, good.length)); // not gzip
    await send({ ...grpc, 'grpc-encoding': 'magic' }, frame(1, good.length));
    await send({ ...grpc, 'grpc-timeout': 'soon' }, Buffer.alloc(0));
    await send({ ...grpc, 'grpc-timeout': '0m' }, frame(0, good.length));
    await send(grpc, Buffer.alloc(0)); // no message at all
    session.destroy();
    await expectUnharmed();
  });

  it('a client that vanishes in the middle of a call harms nobody', async () => {
    const session = connectHttp2(`http://${member.address}`);
    session.on('error', () => undefined);
    const stream = session.request({
      ':method': 'POST',
      ':path': putPath,
      'content-type': 'application/grpc',
      te: 'trailers',
    });
    stream.on('error', () => undefined);
    stream.write(Buffer.from([0, 0, 0, 0, 9, 1]));
    await sleep(20);
    session.destroy();
    await sleep(20);
    await expectUnharmed();
  });
});
