/** `quorate serve` as a process: start, refusals in one sentence, signals. One member, so that nobody else is needed. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { GetRequest, PutRequest } from '../../src/gen/quorate/v1/kv';
import { freePort } from '../support/free-ports';
import { getRequest, putRequest } from '../support/kv-requests';
import { RawClient } from '../support/raw-call';

const main = join(__dirname, '../../dist/main.js');
let directory: string;
let children: ChildProcess[];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'quorate-serve-'));
  children = [];
});

afterEach(() => {
  for (const child of children) child.kill('SIGKILL');
  rmSync(directory, { recursive: true, force: true });
});

interface Started {
  readonly child: ChildProcess;
  readonly address: string;
  output(): string;
  readonly ended: Promise<{ code: number | null; signal: string | null }>;
}

async function serve(more: readonly string[] = [], ipc = false): Promise<Started> {
  const [client, peer] = [await freePort(), await freePort()];
  const address = `127.0.0.1:${String(client)}`;
  const args = ['serve', '--name', 'm1', '--data-dir', join(directory, 'm1'), '--client-listen', address];
  args.push(
    '--peer-listen',
    `127.0.0.1:${String(peer)}`,
    '--election-timeout',
    '100',
    '--heartbeat-interval',
    '20',
    ...more,
  );
  const child = spawn(process.execPath, [main, ...args], {
    stdio: ['ignore', 'pipe', 'pipe', ...(ipc ? ['ipc' as const] : [])],
  });
  children.push(child);
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding('utf8').on('data', (text: string) => (output += text));
  const ended = new Promise<{ code: number | null; signal: string | null }>((resolve) => {
    child.once('close', (code, signal) => {
      resolve({ code, signal });
    });
  });
  return { child, address, output: () => output, ended };
}

async function untilServing(started: Started): Promise<void> {
  await untilItSays(started, 'member is serving');
}

async function untilItSays(started: Started, words: string): Promise<void> {
  while (!started.output().includes(words)) {
    if (started.child.exitCode !== null || started.child.signalCode !== null)
      throw new Error(`it ended: ${started.output()}`);
    await sleep(20);
  }
}

async function put(address: string, key: string, value = 'v'): Promise<unknown> {
  const raw = new RawClient(address);
  const request = PutRequest.encode(putRequest({ key, value: { $case: 'text', value } })).finish();
  const { error } = await raw.call('/quorate.v1.KVService/Put', request, 4000);
  raw.close();
  return error;
}

async function get(address: string, key: string): Promise<unknown> {
  const raw = new RawClient(address);
  const { error } = await raw.call('/quorate.v1.KVService/Get', GetRequest.encode(getRequest({ key })).finish(), 4000);
  raw.close();
  return error;
}

describe('quorate serve', () => {
  it('serves, keeps its data over a restart, and ends with 0 on SIGTERM', async () => {
    for (let life = 0; life < 2; life++) {
      const started = await serve();
      await untilServing(started);
      expect(await put(started.address, 'a')).toBeUndefined();
      started.child.kill('SIGTERM');
      expect(await started.ended).toEqual({ code: 0, signal: null });
      expect(started.output()).toContain('"msg":"stopped"');
      expect(started.output()).not.toContain('"level":"error"');
    }
  }, 30_000);

  it('ends with 0 when the process that started it over a channel is gone', async () => {
    const started = await serve([], true);
    await untilServing(started);
    // Not `ended`: Node tells of no `close` once the channel was closed from this side.
    const exit = once(started.child, 'exit');
    started.child.disconnect();
    expect(await exit).toEqual([0, null]);
  }, 30_000);

  it('never logs a key or a value', async () => {
    const started = await serve(['--log-level', 'debug']);
    await untilServing(started);
    await put(started.address, 'the-secret-key');
    started.child.kill('SIGTERM');
    await started.ended;
    expect(started.output()).not.toContain('the-secret-key');
  }, 30_000);

  const expectRefusal = async (started: Started, message: RegExp) => {
    expect(await started.ended).toEqual({ code: 2, signal: null });
    const sentences = started
      .output()
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('{'));
    expect(sentences).toHaveLength(1);
    expect(sentences[0]).toMatch(message);
  };

  it('calls itself while nobody else does, and counts none of that', async () => {
    const started = await serve(['--log-level', 'debug']);
    while (!started.output().includes('warmed up')) await sleep(20);
    expect(started.output()).toMatch(/"connections":60,.*warmed up/);
    const metrics = await (await fetch(`http://${started.address}/metrics`)).text();
    expect(metrics).toContain('# TYPE quorate_unary_calls_total counter');
    expect(metrics).not.toMatch(/^quorate_unary_calls_total/m);
  }, 30_000);

  it.each([
    ['--client-listen', 'for clients'],
    ['--metrics-listen', 'for probes'],
  ])(
    'refuses a busy %s in one sentence',
    async (option, who) => {
      const server = createServer().listen(0, '127.0.0.1');
      await once(server, 'listening');
      const address = `127.0.0.1:${String((server.address() as AddressInfo).port)}`;
      await expectRefusal(
        await serve([option, address]),
        new RegExp(`^error: cannot listen ${who} on ${address}: another program .* ${option}`),
      );
      server.close();
    },
    30_000,
  );

  it('refuses options of TLS that lack another, and files that cannot be used', async () => {
    const nowhere = join(directory, 'nowhere.pem');
    const files = ['--client-cert-file', nowhere];
    await expectRefusal(await serve(files), /^error: --client-key-file is missing: --client-cert-file is given/);
    files.push('--client-key-file', nowhere);
    await expectRefusal(await serve(files), /^error: --client-cert-file \S+nowhere.pem cannot be read: ENOENT/);
  }, 30_000);

  it('refuses a directory that is in use', async () => {
    const first = await serve();
    await untilServing(first);
    const second = await serve();
    await expectRefusal(second, /^error: .*m1/);
  }, 30_000);

  it('refuses a data directory that is a file', async () => {
    writeFileSync(join(directory, 'm1'), '');
    await expectRefusal(await serve(), /^error: .*m1/);
  }, 30_000);

  it('refuses the directory of another member', async () => {
    const first = await serve();
    await untilServing(first);
    first.child.kill('SIGTERM');
    await first.ended;
    await expectRefusal(await serve(['--name', 'm2']), /^error: /);
  }, 30_000);

  it('refuses a wrong option', async () => {
    await expectRefusal(
      await serve(['--request-timeout', 'soon']),
      /^error: --request-timeout is "soon"; allowed is 10 to 600000 ms$/,
    );
  });

  it('refuses a state that is ahead of the log', async () => {
    const first = await serve();
    await untilServing(first);
    await put(first.address, 'a');
    first.child.kill('SIGTERM');
    await first.ended;
    // Another life's state beside this one's log: first a longer history in another directory.
    const other = await serve(['--data-dir', join(directory, 'other')]);
    await untilServing(other);
    for (let i = 0; i < 5; i++) await put(other.address, `k${String(i)}`);
    other.child.kill('SIGTERM');
    await other.ended;
    for (const suffix of ['', '-wal', '-shm']) rmSync(join(directory, `m1/state.db${suffix}`), { force: true });
    copyFileSync(join(directory, 'other/state.db'), join(directory, 'm1/state.db'));
    await expectRefusal(await serve(), /^error: state\.db has applied entry 6, but the log ends at \d; one of the two/);
  }, 60_000);
});

describe('quorate serve with a large state', () => {
  const stopInOrder = async (started: Started): Promise<void> => {
    started.child.kill('SIGTERM');
    expect(await started.ended).toEqual({ code: 0, signal: null });
  };
  const fill = async (): Promise<void> => {
    const started = await serve();
    await untilServing(started);
    const value = 'x'.repeat(900_000);
    for (let at = 0; at < 10; at++) expect(await put(started.address, `key-${String(at)}`, value)).toBeUndefined();
    await stopInOrder(started);
  };

  it('begins with the index that it saved when it stopped, and with the rows when it was killed', async () => {
    await fill();
    const saved = await serve();
    await untilServing(saved);
    expect(saved.output()).toContain('the saved index was read');
    expect(await get(saved.address, 'key-7')).toBeUndefined();
    await untilItSays(saved, 'every row of the state was checked');
    expect(await put(saved.address, 'later')).toBeUndefined();
    saved.child.kill('SIGKILL');
    await saved.ended;
    const again = await serve();
    await untilServing(again);
    expect(again.output()).not.toContain('saved index');
    expect(await get(again.address, 'later')).toBeUndefined();
    await stopInOrder(again);
  }, 60_000);

  it('stops when a row turns out to be damaged after it began with the saved index', async () => {
    await fill();
    const path = join(directory, 'm1', 'state.db');
    const asItWas = join(directory, 'as-it-was');
    execFileSync('cp', ['-a', path, asItWas]);
    const content = readFileSync(path);
    const place = content.indexOf('key-7');
    content[place] = (content[place] ?? 0) ^ 1;
    writeFileSync(path, content);
    // A disk that forgets tells nobody.
    execFileSync('touch', ['-r', asItWas, path]);
    const started = await serve();
    expect(await started.ended).toEqual({ code: 74, signal: null });
    expect(started.output()).toContain('the saved index was read');
    expect(started.output()).toMatch(/state\.db is damaged: row \d+ fails its checksum/);
    const again = await serve();
    expect(await again.ended).toEqual({ code: 74, signal: null });
  }, 60_000);
});
