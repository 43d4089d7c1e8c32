/** One port, two protocols: which connection goes where. */
import { spawnSync } from 'node:child_process';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { SharedPort } from '../../src/api/shared-port';
import { systemScheduler } from '../../src/ops/system-scheduler';

let port: SharedPort;
let number: number;
let taken: [string, Socket][];

beforeEach(async () => {
  taken = [];
  port = new SharedPort({
    scheduler: systemScheduler,
    http1: (socket) => void taken.push(['http1', socket]),
    http2: (socket) => void taken.push(['http2', socket]),
  });
  number = await port.listen('127.0.0.1:0');
});

afterEach(async () => {
  for (const [, socket] of taken) socket.destroy();
  await port.close();
});

/** Who took a connection that begins so, and what there was to read. */
async function takerOf(...pieces: readonly string[]): Promise<readonly [string, string]> {
  const client = connect(number, '127.0.0.1');
  client.on('error', () => undefined);
  for (const piece of pieces) {
    client.write(piece);
    await sleep(20);
  }
  for (let tries = 0; tries < 200 && taken.length === 0; tries++) await sleep(10);
  const [[name, socket] = ['nobody', client]] = taken;
  const read = (socket.read() as Buffer | null)?.toString() ?? '';
  client.destroy();
  return [name, read];
}

describe('a port for two protocols', () => {
  it.each([
    ['http2', ['PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n']],
    ['http2', ['P', 'R', 'I', ' * HTTP/2.0']],
    ['http1', ['GET / HTTP/1.1\r\n\r\n']],
    ['http1', ['P', 'OST / HTTP/1.1\r\n\r\n']],
    ['http1', ['PR', 'OPFIND / HTTP/1.1\r\n\r\n']],
    ['http1', ['\u0016\u0003\u0001 hello']],
  ])('gives to %s what begins with %j, and nothing of it is lost', async (taker, pieces) => {
    expect(await takerOf(...pieces)).toEqual([taker, pieces.join('')]);
  });

  it('gives to nobody what has not said enough, and closes it with the port', async () => {
    const silent = connect(number, '127.0.0.1');
    silent.on('error', () => undefined).write('PRI');
    await sleep(50);
    expect(taken).toEqual([]);
    const closed = new Promise((resolve) => silent.once('close', resolve));
    await port.close();
    await closed;
  });

  it('gives a crowd away in hardly more than one turn of the event loop, after all of it has come', async () => {
    const size = 64;
    // In a process of its own, and to its end: all of them wait when the port's own process runs again.
    const crowd = `let open = ${String(size)};
      for (let i = open; i > 0; i--) {
        const socket = require('node:net').connect(${String(number)}, '127.0.0.1', () => socket.end('GET / HTTP/1.1\\r\\n\\r\\n', () => {
          if (--open === 0) process.exit();
        }));
      }`;
    expect(spawnSync(process.execPath, ['-e', crowd], { timeout: 10_000 }).status).toBe(0);
    let turns = 0;
    for (let before = 0; taken.length < size && turns < 10_000; before = taken.length) {
      await new Promise((resolve) => setImmediate(resolve));
      if (taken.length > before) turns++;
    }
    expect(taken).toHaveLength(size);
    // One, unless this process stands still for a tenth of a second.
    expect(turns).toBeLessThan(4);
  });

  it('refuses an address that is taken', async () => {
    await expect(
      new SharedPort({ scheduler: systemScheduler, http1: () => undefined, http2: () => undefined }).listen(
        `127.0.0.1:${number}`,
      ),
    ).rejects.toThrow('EADDRINUSE');
  });
});
