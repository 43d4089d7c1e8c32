import { createServer, type AddressInfo, type Server as NetServer, type Socket } from 'node:net';
import { Server, ServerCredentials, status, type sendUnaryData, type ServerUnaryCall } from '@grpc/grpc-js';
import { statusOfError } from '../../src/api/errors';
import { QuorateError } from '../../src/base/error';
import { QuorateClient } from '../../src/client';
import {
  KVServiceService,
  type ListRequest,
  type ListResponse,
  type PutRequest,
  type PutResponse,
} from '../../src/gen/quorate/v1/kv';

const putAnswer = (revision: number): PutResponse => ({
  ...{ revision, createRevision: revision, version: 1 },
  ...{ previous: undefined, leaseId: 0n, replayed: false },
});

type PutHandler = (call: ServerUnaryCall<PutRequest, PutResponse>, answer: sendUnaryData<PutResponse>) => void;

/** A member whose answers the test writes. */
class ScriptedMember {
  readonly server = new Server();
  puts: PutRequest[] = [];
  readonly #scripts: PutHandler[];
  address = '';

  constructor(...scripts: PutHandler[]) {
    this.#scripts = scripts;
    const service = {
      put: (call: ServerUnaryCall<PutRequest, PutResponse>, answer: sendUnaryData<PutResponse>) => {
        this.puts.push(call.request);
        const script = this.#scripts.length > 1 ? this.#scripts.shift() : this.#scripts[0];
        if (script === undefined) answer(null, putAnswer(2));
        else script(call, answer);
      },
      get: (_call: unknown, answer: sendUnaryData<never>) => {
        answer({ code: status.UNAVAILABLE, details: 'gone' });
      },
      delete: () => undefined,
      list: (call: ServerUnaryCall<ListRequest, ListResponse>, answer: sendUnaryData<ListResponse>) => {
        const page = Number(call.request.pageToken === '' ? 1 : call.request.pageToken);
        const counters = { createRevision: page, modRevision: page, version: 1 };
        const kv = { key: `k${String(page)}`, value: undefined, ...counters, leaseId: 0n };
        answer(null, { kvs: [kv], nextPageToken: page < 3 ? String(page + 1) : '', revision: 9 });
      },
    };
    this.server.addService(KVServiceService, service);
  }

  async start(): Promise<this> {
    const port = await new Promise<number>((resolve, reject) => {
      this.server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) => {
        if (error === null) resolve(bound);
        else reject(error);
      });
    });
    this.address = `127.0.0.1:${String(port)}`;
    return this;
  }
}

const noLeader: PutHandler = (_call, answer) => {
  answer(statusOfError(new QuorateError('no-leader', 'no leader', { details: { retryAfterMs: 10 } })));
};
const unknown: PutHandler = (_call, answer) => {
  answer(statusOfError(new QuorateError('outcome-unknown', 'who knows', { outcome: 'unknown' })));
};
const done: PutHandler = (_call, answer) => {
  answer(null, putAnswer(7));
};

describe('the client, on real connections', () => {
  const toStop: (() => void)[] = [];

  afterEach(() => {
    for (const stop of toStop.splice(0).reverse()) stop();
  });

  async function member(...scripts: PutHandler[]): Promise<ScriptedMember> {
    const started = await new ScriptedMember(...scripts).start();
    toStop.push(() => {
      started.server.forceShutdown();
    });
    return started;
  }

  function client(endpoints: readonly string[], timeoutMs = 3_000): QuorateClient {
    const made = new QuorateClient({ endpoints, timeoutMs, connectTimeoutMs: 300 });
    toStop.push(() => {
      made.close();
    });
    return made;
  }

  /** A listener that takes connections and never says a word, as a stopped process does. */
  async function silentListener(): Promise<string> {
    const sockets: Socket[] = [];
    const server: NetServer = createServer((socket) => sockets.push(socket));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    toStop.push(() => {
      for (const socket of sockets) socket.destroy();
      server.close();
    });
    return `127.0.0.1:${String((server.address() as AddressInfo).port)}`;
  }

  it('sends text as text and bytes as bytes', async () => {
    const one = await member();
    const { put } = bind(client([one.address]));
    await expect(put('t', 'ü')).resolves.toEqual({ ...putAnswer(2), leaseId: undefined });
    await put('b', new Uint8Array([0, 255]));
    expect(one.puts.map((request) => request.value)).toEqual([
      { $case: 'text', value: 'ü' },
      { $case: 'data', value: Buffer.from([0, 255]) },
    ]);
  });

  it('puts on the next member when nobody listens at the first', async () => {
    const gone = await member();
    gone.server.forceShutdown();
    const two = await member();
    await client([gone.address, two.address]).put('a', '1');
    expect([gone.puts.length, two.puts.length]).toEqual([0, 1]);
  });

  it('puts on the next member when the first accepts connections and says nothing', async () => {
    const two = await member();
    await client([await silentListener(), two.address]).put('a', '1');
    expect(two.puts).toHaveLength(1);
  });

  it('repeats a put that surely was not done', async () => {
    const one = await member(noLeader, noLeader, done);
    await expect(client([one.address]).put('a', '1')).resolves.toMatchObject({ revision: 7 });
    expect(one.puts).toHaveLength(3);
  });

  it('repeats a put whose outcome is unknown, under the same request id', async () => {
    const one = await member(unknown);
    const two = await member();
    await expect(client([one.address, two.address]).put('a', '1')).resolves.toMatchObject({ revision: 2 });
    expect([one.puts.length, two.puts.length]).toEqual([1, 1]);
    expect(two.puts[0]?.requestId).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7/);
    expect(two.puts[0]?.requestId).toBe(one.puts[0]?.requestId);
  });

  it('makes request ids by the time that members tell, when its own clock lags', async () => {
    const requestTimeMs = Date.now() + 3_600_000;
    const expired = new QuorateError('request-expired', '?', { outcome: 'unknown', details: { requestTimeMs } });
    const one = await member((_call, answer) => answer(statusOfError(expired)), done);
    const { put } = bind(client([one.address]));
    await expect(put('a', '1')).resolves.toMatchObject({ revision: 7 });
    await put('b', '2');
    const times = one.puts.map(({ requestId }) => Number.parseInt(requestId.replace('-', '').slice(0, 12), 16));
    expect(times.map((time) => time >= requestTimeMs)).toEqual([false, true, true]);
  });

  it('does not repeat a put without a request id whose outcome is unknown', async () => {
    const one = await member(unknown);
    const two = await member();
    await expect(client([one.address, two.address]).put('a', '1', { requestId: false })).rejects.toMatchObject({
      code: 'outcome-unknown',
      outcome: 'unknown',
      message: 'who knows',
    });
    expect([one.puts.length, two.puts.length]).toEqual([1, 0]);
  });

  it('repeats a put elsewhere when the member dies while it works on it, unless it has no request id', async () => {
    const dying = async (): Promise<ScriptedMember> => {
      const dies: ScriptedMember = await member(() => {
        dies.server.forceShutdown();
      });
      return dies;
    };
    const two = await member();
    await client([(await dying()).address, two.address]).put('a', '1');
    expect(two.puts).toHaveLength(1);
    const nameless = client([(await dying()).address, two.address]).put('a', '1', { requestId: false });
    await expect(nameless).rejects.toMatchObject({ outcome: 'unknown' });
    expect(two.puts).toHaveLength(1);
  });

  it('tells that the outcome is unknown when no answer comes in time', async () => {
    const one = await member(() => undefined);
    const begun = performance.now();
    await expect(client([one.address], 300).put('a', '1')).rejects.toMatchObject({ outcome: 'unknown' });
    expect(performance.now() - begun).toBeLessThan(2_000);
    expect(one.puts).toHaveLength(1);
  });

  it('tells that nothing was done when no member can be reached, and why', async () => {
    const gone = await member();
    gone.server.forceShutdown();
    await expect(client([gone.address], 500).put('a', '1')).rejects.toMatchObject({
      code: 'unreachable',
      outcome: 'not-done',
      message: expect.stringContaining('ECONNREFUSED') as string,
    });
  });

  it('finds a member again after it was restarted', async () => {
    const one = await member();
    const ours = client([one.address]);
    await ours.put('a', '1');
    const port = one.address;
    one.server.forceShutdown();
    // This one may still find the connection open; the next one surely does not.
    await expect(ours.put('a', '2', { timeoutMs: 200 })).rejects.toMatchObject({ name: 'QuorateError' });
    await expect(ours.put('a', '2', { timeoutMs: 200 })).rejects.toMatchObject({ outcome: 'not-done' });
    const again = new ScriptedMember();
    await new Promise<void>((resolve, reject) => {
      again.server.bindAsync(port, ServerCredentials.createInsecure(), (error) => {
        if (error === null) resolve();
        else reject(error);
      });
    });
    toStop.push(() => {
      again.server.forceShutdown();
    });
    await expect(ours.put('a', '3')).resolves.toMatchObject({ revision: 2 });
  });

  it('reads page after page, as they are asked for', async () => {
    const one = await member();
    const keys: string[] = [];
    for await (const page of client([one.address]).list()) keys.push(...page.kvs.map((kv) => kv.key));
    expect(keys).toEqual(['k1', 'k2', 'k3']);
  });

  it('says so when a stranger answers', async () => {
    const one = await member();
    await expect(client([one.address]).cluster.status()).rejects.toMatchObject({
      code: 'unreachable',
      outcome: 'not-done',
    });
  });

  it('fails at once when it was closed', async () => {
    const one = await member();
    const ours = client([one.address]);
    await ours.put('a', '1');
    ours.close();
    await expect(ours.put('a', '1', { timeoutMs: 300 })).rejects.toMatchObject({
      outcome: 'not-done',
      message: expect.stringContaining('closed') as string,
    });
  });
});

function bind(client: QuorateClient) {
  return { put: client.put.bind(client) };
}
