/** The logger: structure, 64-bit ids, dropped lines. */
import { createLogger } from '../../../src/ops/logger';
import type { LogSink } from '../../../src/ops/log-sink';

function sinkOf(lines: string[]): LogSink & { resume(dropped: number): void } {
  let report: (dropped: number) => void = () => undefined;
  return {
    write: (line) => void lines.push(line),
    onResume: (listener) => void (report = listener),
    flush: () => Promise.resolve(),
    flushNow: () => undefined,
    resume: (dropped) => report(dropped),
  };
}

describe('logger', () => {
  const lines: string[] = [];
  const last = () => JSON.parse(lines.at(-1) ?? '') as Record<string, unknown>;
  const sink = sinkOf(lines);
  const logger = createLogger({ logLevel: 'info', logBufferBytes: 1024, base: { member: 'm1' } }, sink);

  it('writes one JSON object a line, with level, time and the base fields', () => {
    logger.info({ term: 3 }, 'hello');
    expect(lines.at(-1)).toMatch(/^\{.*\}\n$/);
    expect(last()).toMatchObject({ level: 'info', member: 'm1', term: 3, msg: 'hello' });
    expect(Date.parse(String(last()['time']))).toBeGreaterThan(0);
  });

  it('writes 64-bit ids as decimal text', () => {
    logger.warn({ leader: 2n ** 64n - 1n }, 'x');
    expect(last()['leader']).toBe('18446744073709551615');
  });

  it('leaves out what is less important than the level', () => {
    const before = lines.length;
    logger.debug({}, 'quiet');
    expect(lines).toHaveLength(before);
  });

  it('tells how many lines were lost when the reader goes on', () => {
    sink.resume(42);
    expect(last()).toMatchObject({ level: 'warn', droppedLines: 42 });
  });
});
