/** Ports for the servers of a test. */
import { createServer } from 'node:net';

/**
 * Below those that the kernel gives to whoever connects or listens on port 0 (Linux: 32768 and up): the port of a member
 * that is down must still be free when it starts again, and nobody else may answer there meanwhile.
 */
const range = { first: 10_000, last: 31_999 } as const;
/** Tests that run beside each other begin at different places. */
let next = range.first + Math.floor(Math.random() * (range.last - range.first));

/** Ports nobody listens on now, and none that this process was given before, until it has had them all. */
export async function freePorts(count: number): Promise<readonly number[]> {
  const ports: number[] = [];
  while (ports.length < count) {
    const port = next;
    next = next === range.last ? range.first : next + 1;
    if (await isFree(port)) ports.push(port);
  }
  return ports;
}

/** One such port. */
export async function freePort(): Promise<number> {
  const [port] = await freePorts(1);
  if (port === undefined) throw new Error('a port was asked for');
  return port;
}

/** Whether nobody listens on the port now. */
export function isFree(port: number): Promise<boolean> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
