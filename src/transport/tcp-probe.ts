/** Finds out whether anybody listens at an address. */
import { connect } from 'node:net';
import { splitAddress } from '../base/names';

/**
 * Opens a TCP connection and closes it again. grpc-js cannot be told to give up an attempt: against an address that
 * swallows packets each abandoned attempt would hold a socket for minutes, and this one is destroyed.
 *
 * @param address `host:port`; the name is resolved anew
 * @param signal gives up
 * @throws Error what the system says, or that there was no answer in `timeoutMs`
 */
export function probeTcp(address: string, timeoutMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({ ...splitAddress(address), signal });
    const timer = setTimeout(() => socket.destroy(new Error(`no answer in ${timeoutMs} ms`)), timeoutMs);
    let failure: Error | undefined;
    socket.once('connect', () => {
      resolve();
      socket.destroy();
    });
    socket.once('error', (error) => (failure = error));
    socket.once('close', () => {
      clearTimeout(timer);
      reject(failure ?? new Error('the connection was closed'));
    });
  });
}

/** True for what `probeTcp` throws if the machine is there, and says that nobody listens. */
export function isRefusal(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'code' in error && error.code === 'ECONNREFUSED';
}
