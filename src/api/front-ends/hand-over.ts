/** A connection goes to another process: what Node leaves to be done. */
import type { ChildProcess } from 'node:child_process';
import type { Socket } from 'node:net';
import type { ToFrontEnd } from './control';

/** A connection for a front end. */
export interface Arrival {
  readonly socket: Socket;
  /** It begins with TLS. */
  readonly isSealed: boolean;
}

/** What Node reads a connection with. */
interface Handle {
  readStop(): void;
  close(): void;
}

/** What has no public name. */
interface Inside {
  readonly _handle: Handle | null;
  server: unknown;
}

/**
 * Sends a connection to a front end with what was read of it already. Nothing else may be on its way there: Node would
 * keep this one for later, and what is read meanwhile would be lost.
 *
 * @returns what closes the connection should the front end end before it has taken it: Node would keep it open for ever
 */
export function handOver({ socket, isSealed }: Arrival, frontEnd: ChildProcess): () => void {
  const inside = socket as unknown as Inside;
  const handle = inside._handle;
  const head = readAll(socket).toString('base64');
  // A paused connection is still read until its buffer is full, and Node does not stop that: what arrives before its end
  // here would be read here, and lost (measured: a fifth of a steady stream of bytes).
  handle?.readStop();
  // Else the port that accepted it would ask the front end whether it is closed, and wait for ever for one that was
  // killed. The front end tells when its connections are closed.
  inside.server = undefined;
  frontEnd.send({ kind: 'connection', head, isSealed } satisfies ToFrontEnd, socket, {}, () => undefined);
  // What is left here counts as closed. If it could not be sent, it is closed for its client too.
  socket.destroy();
  return () => {
    handle?.close();
  };
}

/** What has been read of a connection and used by nobody. */
function readAll(connection: Socket): Buffer {
  const pieces: Buffer[] = [];
  for (let piece = nextOf(connection); piece !== null; piece = nextOf(connection)) pieces.push(piece);
  return Buffer.concat(pieces);
}

function nextOf(connection: Socket): Buffer | null {
  return connection.read() as Buffer | null;
}
