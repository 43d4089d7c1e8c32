import { once } from 'node:events';
import * as http2 from 'node:http2';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { WarmUp, type WarmUpPace } from '../../../src/api/warm-up';
import type { Scheduler } from '../../../src/base/clock';
import { type Logger, silentLogger } from '../../../src/base/logger';
import { systemScheduler } from '../../../src/ops/system-scheduler';
import { FakeTime } from '../../support/fake-time';

const pace: WarmUpPace = { afterMs: 0, connections: 3, callsPerConnection: 4, everyMs: 0 };

/** A member, as far as it is asked for its health. */
class Asked {
  readonly #directory = mkdtempSync(join(tmpdir(), 'quorate-warm-'));
  readonly path = join(this.#directory, 'socket');
  /** How many calls each connection made. */
  readonly calls: number[] = [];
  readonly paths = new Set<unknown>();
  /** When each of them is closed. */
  readonly closings: Promise<unknown>[] = [];
  /** Whatever is answered will do. */
  onCall = (stream: http2.ServerHttp2Stream): void => {
    const headers = { ':status': 200, 'content-type': 'application/grpc', 'grpc-status': 14 };
    stream.respond(headers, { endStream: true });
  };
  readonly #server = http2.createServer();

  async start(): Promise<void> {
    this.#server.on('session', (session) => {
      const number = this.calls.push(0) - 1;
      this.closings.push(once(session, 'close'));
      session.on('stream', (stream, headers) => {
        this.calls[number] = (this.calls[number] ?? 0) + 1;
        this.paths.add(headers[':path']);
        this.onCall(stream.on('error', () => undefined).resume());
      });
    });
    this.#server.listen(this.path);
    await once(this.#server, 'listening');
  }

  get total(): number {
    return this.calls.reduce((sum, count) => sum + count, 0);
  }

  stop(): void {
    this.#server.close();
    rmSync(this.#directory, { recursive: true, force: true });
  }
}

let asked: Asked;
let answered: number;
let warmUp: WarmUp;

beforeEach(async () => {
  asked = new Asked();
  answered = 0;
  await asked.start();
});

afterEach(() => {
  warmUp.stop();
  asked.stop();
});

/** Resolves with what it says once it is done. */
function begin(path: string | undefined, scheduler: Scheduler = systemScheduler): Promise<unknown> {
  return new Promise((resolve) => {
    const logger: Logger = {
      ...silentLogger,
      debug: (fields) => {
        resolve(fields);
      },
    };
    warmUp = new WarmUp({ path: () => path, answered: () => answered, scheduler, logger, pace });
    warmUp.start();
  });
}

describe('WarmUp', () => {
  it('makes its calls, as a client would, and closes its connections', async () => {
    expect(await begin(asked.path)).toMatchObject({ connections: 3 });
    expect(asked.calls).toEqual([4, 4, 4]);
    expect([...asked.paths]).toEqual(['/grpc.health.v1.Health/Check']);
    await Promise.all(asked.closings);
  });

  it('ends once others have called as much', async () => {
    const { onCall } = asked;
    asked.onCall = (stream) => {
      if (asked.total === 6) answered = 100;
      onCall(stream);
    };
    expect(await begin(asked.path)).toMatchObject({ connections: 2 });
    expect(asked.calls).toEqual([4, 2]);
  });

  it('goes on beside the few calls of somebody who waits for the start', async () => {
    answered = 99;
    await begin(asked.path);
    expect(asked.calls).toEqual([4, 4, 4]);
  });

  it('ends when it is stopped, whatever is under way', async () => {
    const called = new Promise((resolve) => (asked.onCall = resolve));
    void begin(asked.path);
    await called;
    const begunAt = performance.now();
    warmUp.stop();
    await Promise.all(asked.closings);
    expect(asked.calls).toEqual([1]);
    // Sooner than the call would be given up.
    expect(performance.now() - begunAt).toBeLessThan(900);
  });

  it('begins no sooner than it should, and not at all when it is stopped before', async () => {
    const time = new FakeTime();
    const done = begin(asked.path, time);
    expect(time.timers).toBe(1);
    expect(asked.calls).toEqual([]);
    warmUp.stop();
    expect(time.timers).toBe(0);
    await Promise.race([done, time.pass(1_000_000)]);
    expect(asked.calls).toEqual([]);
  });

  it('does without where nobody listens, or where there is no socket', async () => {
    await begin(`${asked.path}-elsewhere`);
    void begin(undefined);
    await new Promise(setImmediate);
    expect(asked.calls).toEqual([]);
  });
});
