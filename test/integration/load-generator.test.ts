/** The load generator of the benchmarks against servers that keep count themselves. */
import { Server, ServerCredentials, status, type ServiceError } from '@grpc/grpc-js';
import { execFile, execFileSync, fork, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { wordOf } from '../support/child-words';

const root = join(__dirname, '../..');
const path = '/quorate.v1.KVService/Put';

/** What load.cc prints. */
interface Result {
  readonly elapsedSeconds: number;
  readonly cpuSeconds: number;
  readonly sent: number;
  readonly calls: number;
  readonly errors: Readonly<Record<string, number>>;
  readonly latencyMs: Readonly<Record<'p50' | 'p95' | 'p99' | 'p999' | 'max', number>>;
  readonly longestGapMs: number;
}

type Answer = (error: Partial<ServiceError> | null, bytes?: Buffer) => void;

/** A server that remembers what it was asked. */
class CountingServer {
  readonly requests: string[] = [];
  mostInFlight = 0;
  address = '';
  #inFlight = 0;
  readonly #server = new Server();

  /** `answerTo` answers call number n, or never does. */
  static async start(
    answerTo: (n: number, answer: Answer) => void,
    { host = '127.0.0.1', credentials = ServerCredentials.createInsecure() } = {},
  ): Promise<CountingServer> {
    const counting = new CountingServer();
    const asItIs = (bytes: Buffer) => bytes;
    const stream = { requestStream: false, responseStream: false } as const;
    const codec = { requestSerialize: asItIs, requestDeserialize: asItIs };
    const method = { path, ...stream, ...codec, responseSerialize: asItIs, responseDeserialize: asItIs };
    counting.#server.addService(
      { put: method },
      {
        put: ({ request }: { request: Buffer }, answer: Answer) => {
          counting.#inFlight += 1;
          counting.mostInFlight = Math.max(counting.mostInFlight, counting.#inFlight);
          answerTo(counting.requests.push(request.toString()), (...with_) => {
            counting.#inFlight -= 1;
            answer(...with_);
          });
        },
      },
    );
    const bind = promisify(counting.#server.bindAsync.bind(counting.#server));
    counting.address = `${host}:${await bind(`${host}:0`, credentials)}`;
    servers.push(counting);
    return counting;
  }

  stop(): void {
    this.#server.forceShutdown();
  }
}

const empty = Buffer.alloc(0);
const requests = ['one', 'two', 'x'.repeat(100_000)];
const servers: CountingServer[] = [];
const directory = mkdtempSync(join(tmpdir(), 'quorate-load-'));
const bodies = join(directory, 'bodies');

const compiled = spawnSync(process.execPath, [join(root, 'scripts/bench/ensure-load.mjs')], { encoding: 'utf8' });
if (compiled.status !== 0) {
  if ((process.env['CI'] ?? '') !== '') throw new Error(compiled.stderr);
  console.warn(`SKIPPED: the tests of the load generator. ${compiled.stderr}`);
}

async function load(addresses: readonly string[], options: Readonly<Record<string, number | string>>): Promise<Result> {
  const given = Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const all = ['--addresses', addresses.join(','), '--path', path, '--bodies', bodies, ...given];
  const { stdout } = await promisify(execFile)(compiled.stdout.trim(), all, { timeout: 30_000 });
  return JSON.parse(stdout) as Result;
}

/** Answers calls `together` at a time, 5 ms after the last of them came, and the rest after the last of `calls`. */
function answerTogether(together: number, calls: number) {
  const waiting: Answer[] = [];
  return (n: number, answer: Answer) => {
    waiting.push(answer);
    if (waiting.length < together && n < calls) return;
    const answered = waiting.splice(0);
    setTimeout(() => {
      for (const each of answered) each(null, empty);
    }, 5);
  };
}

/** An authority of its own, and what a server shows of it, whose name is 127.0.0.1 or localhost. */
function makeAuthority(name: string) {
  const place = join(directory, name);
  mkdirSync(place);
  execFileSync(process.execPath, [join(root, 'scripts/bench/certificates.mjs'), place]);
  const [key, certificate] = ['member.key', 'member.pem'].map((file) => readFileSync(join(place, file)));
  const pair = { private_key: key ?? empty, cert_chain: certificate ?? empty };
  return { file: join(place, 'ca.pem'), credentials: ServerCredentials.createSsl(null, [pair]) };
}

/** Starts scripts/bench/echo-server.mjs, to be killed. */
async function startEcho() {
  const child = fork(join(root, 'scripts/bench/echo-server.mjs'));
  const port = await wordOf<number>(child);
  return { address: `127.0.0.1:${String(port)}`, kill: () => child.kill('SIGKILL') };
}

beforeAll(() => {
  const frames = requests.map((request) => {
    const header = Buffer.alloc(5);
    header.writeUInt32BE(request.length, 1);
    return Buffer.concat([header, Buffer.from(request)]);
  });
  writeFileSync(bodies, Buffer.concat(frames));
});

afterEach(() => {
  for (const server of servers.splice(0)) server.stop();
});

afterAll(() => {
  rmSync(directory, { recursive: true, force: true });
});

(compiled.status === 0 ? describe : describe.skip)('the load generator', () => {
  it('counts what the server saw, and keeps the calls in flight', async () => {
    const server = await CountingServer.start(answerTogether(12, 400));
    const result = await load([server.address], { seconds: 20, calls: 400, 'in-flight': 12, connections: 5 });
    expect(result).toMatchObject({ sent: 400, calls: 400, errors: {} });
    expect(server.requests).toHaveLength(400);
    expect(new Set(server.requests)).toEqual(new Set(requests));
    expect(server.mostInFlight).toBe(12);
    // 34 rounds of 5 ms.
    expect(result.elapsedSeconds).toBeGreaterThan(0.15);
    const { p50, p95, p99, p999, max } = result.latencyMs;
    const ascending = [4, p50, p95, p99, p999, max, 1000 * result.elapsedSeconds];
    expect(ascending).toEqual(ascending.toSorted((a, b) => a - b));
    expect(result.longestGapMs).toBeGreaterThan(4);
  });

  it('draws the requests by the seed', async () => {
    const server = await CountingServer.start((_, answer) => {
      answer(null, empty);
    });
    const drawn = async (seed: number) => {
      await load([server.address], { seconds: 20, calls: 50, seed });
      return server.requests.splice(0);
    };
    const first = await drawn(7);
    expect(first).toHaveLength(50);
    expect(await drawn(7)).toEqual(first);
    expect(await drawn(8)).not.toEqual(first);
  });

  it('counts a call as done only with status 0', async () => {
    const server = await CountingServer.start((n, answer) => {
      if (n % 4 === 0) answer({ code: status.UNAVAILABLE });
      else if (n % 4 === 2) answer({ code: status.RESOURCE_EXHAUSTED });
      else answer(null, empty);
    });
    const result = await load([server.address], { seconds: 20, calls: 200, 'in-flight': 4 });
    expect(result).toMatchObject({ sent: 200, calls: 100, errors: { 8: 50, 14: 50 } });
  });

  it('leaves the warm-up out of its figures', async () => {
    const server = await CountingServer.start((n, answer) => setTimeout(answer, n <= 2 ? 300 : 1, null, empty));
    const result = await load([server.address], { seconds: 0.5, warmup: 0.5, 'in-flight': 2 });
    expect(result.sent).toBe(server.requests.length);
    expect(result.calls).toBeLessThan(result.sent - 2);
    expect(result.calls).toBeGreaterThan(10);
    expect(result.latencyMs.max).toBeLessThan(300);
    expect(result.elapsedSeconds).toBeGreaterThanOrEqual(0.49);
    expect(result.elapsedSeconds).toBeLessThan(5);
  });

  it('ends in time although the server is killed, and tells what broke', async () => {
    const echo = await startEcho();
    const running = load([echo.address], { seconds: 1.5, 'in-flight': 6, connections: 3 });
    setTimeout(echo.kill, 700);
    const result = await running;
    expect(result.calls).toBeGreaterThan(0);
    expect(result.errors['broken']).toBe(6);
    expect(result.errors['unreachable']).toBeGreaterThan(3);
    expect(result.longestGapMs).toBeGreaterThan(500);
    expect(result.elapsedSeconds).toBeLessThan(5);
    expect(result.cpuSeconds).toBeLessThan(1.5);
  });

  it('goes on at the next address when a server is killed', async () => {
    const echo = await startEcho();
    const other = await CountingServer.start((_, answer) => setTimeout(answer, 1, null, empty));
    const running = load([echo.address, other.address], { seconds: 2, 'in-flight': 4, connections: 2 });
    setTimeout(echo.kill, 700);
    const result = await running;
    expect(result.errors).toEqual({ broken: 2 });
    expect(other.mostInFlight).toBe(4);
  });

  it('counts a call that is never answered as unfinished, five seconds after the end', async () => {
    const server = await CountingServer.start((n, answer) => {
      if (n !== 3) answer(null, empty);
    });
    const result = await load([server.address], { seconds: 20, calls: 30, 'in-flight': 2 });
    expect(result).toMatchObject({ sent: 30, calls: 29, errors: { unfinished: 1 } });
    expect(result.elapsedSeconds).toBeLessThan(8);
  }, 20_000);

  it('refuses what it cannot use with a sentence', async () => {
    await expect(load(['nowhere'], { seconds: 1 })).rejects.toThrow("an address is HOST:PORT, not 'nowhere'");
    await expect(load(['127.0.0.1:1'], { seconds: -1 })).rejects.toThrow("--seconds cannot be '-1'");
    await expect(load(['127.0.0.1:1'], {})).rejects.toThrow('--seconds are needed');
    const cut = join(directory, 'cut');
    writeFileSync(cut, Buffer.from([0, 0, 0, 0, 9, 1]));
    await expect(load(['127.0.0.1:1'], { seconds: 1, bodies: cut })).rejects.toThrow('ends within a frame');
    await expect(load(['127.0.0.1:1'], { 'tls-ca': bodies })).rejects.toThrow('--tls-ca: no certificates in');
  });
});

(compiled.status === 0 ? describe : describe.skip)('the load generator with TLS', () => {
  const answerAtOnce = (_: number, answer: Answer) => {
    answer(null, empty);
  };
  let ours: ReturnType<typeof makeAuthority>;

  beforeAll(() => {
    ours = makeAuthority('ours');
  });

  it.each(['127.0.0.1', 'localhost'])(
    'counts what a server called %s saw, and keeps the calls in flight',
    async (host) => {
      const { file, credentials } = ours;
      const server = await CountingServer.start(answerTogether(12, 400), { host, credentials });
      const how = { seconds: 20, calls: 400, 'in-flight': 12, connections: 5 };
      const result = await load([server.address], { ...how, 'tls-ca': file });
      expect(result).toMatchObject({ sent: 400, calls: 400, errors: {} });
      expect(server.requests).toHaveLength(400);
      expect(new Set(server.requests)).toEqual(new Set(requests));
      expect(server.mostInFlight).toBe(12);
    },
  );

  it('takes in answers of many records, more than it reads at once', async () => {
    const answered = Buffer.alloc(1_000_000);
    const answerMuch = (_: number, answer: Answer) => {
      answer(null, answered);
    };
    const server = await CountingServer.start(answerMuch, { credentials: ours.credentials });
    const result = await load([server.address], { seconds: 20, calls: 50, 'in-flight': 4, 'tls-ca': ours.file });
    expect(result).toMatchObject({ sent: 50, calls: 50, errors: {} });
  });

  it.each([
    ['a foreign authority', 'foreign', '127.0.0.1'],
    ['another name', 'ours', '127.0.0.2'],
  ])('sends nothing to a server of %s, counts it, and ends in time', async (_, authority, host) => {
    const { credentials } = authority === 'ours' ? ours : makeAuthority(authority);
    const server = await CountingServer.start(answerAtOnce, { host, credentials });
    const result = await load([server.address], { seconds: 0.5, connections: 2, 'in-flight': 2, 'tls-ca': ours.file });
    expect(result).toMatchObject({ sent: 0, calls: 0, errors: { handshake: expect.any(Number) as number } });
    // Twice, and again after each pause of 50 ms.
    expect(result.errors['handshake']).toBeGreaterThan(3);
    expect(result.elapsedSeconds).toBeLessThan(5);
    expect(server.requests).toEqual([]);
  });

  it('counts a server without TLS as a failed handshake, and one that is not there as unreachable', async () => {
    const plain = await CountingServer.start(answerAtOnce);
    const result = await load([plain.address, '127.0.0.1:1'], { seconds: 0.5, 'tls-ca': ours.file });
    expect(result).toMatchObject({ sent: 0, calls: 0 });
    expect(Object.keys(result.errors).toSorted()).toEqual(['handshake', 'unreachable']);
  });

  it('ends in time although a server never answers the handshake', async () => {
    const silent = createServer().listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const { port } = silent.address() as AddressInfo;
    const result = await load([`127.0.0.1:${String(port)}`], { seconds: 0.5, 'tls-ca': ours.file });
    silent.close();
    expect(result).toMatchObject({ sent: 0, calls: 0, errors: {} });
    expect(result.elapsedSeconds).toBeLessThan(5);
    // It waits, it does not ask again and again.
    expect(result.cpuSeconds).toBeLessThan(0.2);
  });
});
