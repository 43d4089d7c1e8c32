/** What etcd serves beside gRPC, on the same port of a real member: probes, and the JSON gateway. */
import { setTimeout as sleep } from 'node:timers/promises';
import { EtcdCaller } from '../support/etcd-caller';
import { ProcessCluster } from '../support/process-cluster';

let cluster: ProcessCluster;
let base: string;
let caller: EtcdCaller;

beforeAll(async () => {
  cluster = await ProcessCluster.start({ members: 1 });
  const address = cluster.members[0]?.clientAddress ?? '';
  base = `http://${address}`;
  caller = new EtcdCaller(address);
}, 60_000);

afterAll(async () => {
  caller.close();
  await cluster.stop();
});

const base64 = (text: string) => Buffer.from(text).toString('base64');

async function get(path: string): Promise<{ status: number; text: string }> {
  const response = await fetch(base + path);
  return { status: response.status, text: await response.text() };
}

async function post(path: string, body: unknown): Promise<{ status: number; json: unknown }> {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const response = await fetch(base + path, { method: 'POST', body: text });
  return { status: response.status, json: await response.json() };
}

describe('plain HTTP on the port of gRPC', () => {
  it('tells the version as plain numbers', async () => {
    const { status, text } = await get('/version');
    expect(status).toBe(200);
    expect(JSON.parse(text)).toMatchObject({ etcdserver: expect.stringMatching(/^3\.5\.\d+$/), etcdcluster: '3.5.0' });
  });

  it('tells that the member is well, each check by its name', async () => {
    expect(await get('/health')).toEqual({ status: 200, text: '{"health":"true","reason":""}' });
    expect(await get('/livez')).toEqual({ status: 200, text: 'ok\n' });
    expect((await get('/readyz?verbose')).text).toBe(
      '[+]data_corruption ok\n[+]serializable_read ok\n[+]linearizable_read ok\n[+]non_learner ok\nok\n',
    );
    expect((await get('/readyz/linearizable_read')).status).toBe(200);
    expect((await get('/livez/linearizable_read')).status).toBe(404);
  });

  it('tells of an alarm, unless it is left out', async () => {
    const noSpace = { memberID: 7n, alarm: 1 } as const;
    await caller.alarm({ action: 1, ...noSpace });
    expect(await get('/health')).toEqual({ status: 503, text: '{"health":"false","reason":"ALARM NOSPACE"}' });
    expect((await get('/health?exclude=NOSPACE')).status).toBe(200);
    await caller.alarm({ action: 2, ...noSpace });
  });

  it('tells its numbers to Prometheus', async () => {
    await caller.put('counted', '1');
    const response = await fetch(`${base}/metrics`);
    expect(response.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
    const text = await response.text();
    const number = (name: string) => Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1]);
    expect(number('quorate_is_leader')).toBe(1);
    expect(number('quorate_keys')).toBe(1);
    expect(number('quorate_state_bytes')).toBeGreaterThan(10_000);
    expect(number('quorate_unary_calls_total\\{code="OK"\\}')).toBeGreaterThan(0);
    expect(number('process_resident_memory_bytes')).toBeGreaterThan(30 * 2 ** 20);
    await caller.deleteRange('counted');
  });

  it('knows no other paths, and no other methods', async () => {
    expect((await get('/')).status).toBe(404);
    expect((await get('/v3/kv/range')).status).toBe(404);
    expect((await fetch(`${base}/v3/kv/nothing`, { method: 'POST', body: '{}' })).status).toBe(404);
  });
});

describe('the JSON gateway', () => {
  it('writes and reads what gRPC reads and writes', async () => {
    const { json } = await post('/v3/kv/put', { key: base64('j'), value: base64('1'), other: 'ignored' });
    expect(json).toMatchObject({ header: { revision: expect.stringMatching(/^\d+$/) } });
    expect((await caller.range('j')).kvs).toMatchObject([{ value: Buffer.from('1') }]);
    await caller.put('j', '2');
    expect(await post('/v3/kv/range', { key: base64('j') })).toMatchObject({
      status: 200,
      json: { kvs: [{ key: base64('j'), value: base64('2'), version: '2' }], count: '1' },
    });
  });

  it('takes the names of the schema and those of JSON, and answers with the former', async () => {
    for (const [put, range] of [
      ['requestPut', 'requestRange'],
      ['request_put', 'request_range'],
    ] as const) {
      const success = [{ [put]: { key: base64('n'), value: base64('1') } }, { [range]: { key: base64('n') } }];
      const compare = [{ target: 'VERSION', result: 'GREATER', key: base64('n'), version: '-1' }];
      expect((await post('/v3/kv/txn', { compare, success })).json).toMatchObject({
        succeeded: true,
        responses: [{ response_put: {} }, { response_range: { kvs: [{ key: base64('n') }] } }],
      });
    }
  });

  it('tells errors with the status of HTTP, the code of gRPC, and the text of etcd in both fields', async () => {
    const text = 'etcdserver: key is not provided';
    expect(await post('/v3/kv/range', {})).toEqual({
      status: 400,
      json: { error: text, message: text, code: 3, details: [] },
    });
    expect((await post('/v3/cluster/member/remove', { ID: '5' })).status).toBe(404);
    for (const bad of ['{"key":5', '[]', '{"key":{}}', '{"limit":"many"}']) {
      expect(await post('/v3/kv/range', bad)).toMatchObject({ status: 400, json: { code: 3 } });
    }
    expect((await post('/v3/kv/put', { key: base64('k'), value: 'A'.repeat(5_000_000) })).status).toBe(400);
  });

  it('streams a watch line by line until its client leaves', async () => {
    const leaving = new AbortController();
    const response = await fetch(`${base}/v3/watch`, {
      method: 'POST',
      body: JSON.stringify({ create_request: { key: base64('w') } }),
      signal: leaving.signal,
    });
    const lines: string[] = [];
    const reading = (async () => {
      const decoder = new TextDecoder();
      for await (const bytes of response.body ?? []) lines.push(decoder.decode(bytes as Uint8Array));
    })().catch(() => undefined);
    const until = async (text: string) => {
      for (let tries = 0; tries < 400 && !lines.join('').includes(text); tries++) await sleep(25);
      expect(lines.join('')).toContain(text);
    };
    await until('"created":true');
    await caller.put('w', 'seen');
    await until(base64('seen'));
    for (const line of lines.join('').trim().split('\n')) expect(JSON.parse(line)).toHaveProperty('result');
    leaving.abort();
    await reading;
  }, 30_000);

  it('sends a stream that ends to its end', async () => {
    const response = await fetch(`${base}/v3/maintenance/snapshot`, { method: 'POST', body: '{}' });
    const lines = (await response.text()).trim().split('\n');
    expect(lines.length).toBeGreaterThan(1);
    expect(JSON.parse(lines.at(-1) ?? '')).toMatchObject({ result: { blob: expect.any(String) } });
  });
});
