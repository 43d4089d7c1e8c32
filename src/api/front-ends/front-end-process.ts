/** The process of a front end. It is started by its member alone, and lives no longer than that. */
import { Socket } from 'node:net';
import { logVerbosity, setLogVerbosity } from '@grpc/grpc-js';
import { assert } from '../../base/assert';
import { tierUpSooner } from '../tier-up';
import type { FailedHandshake } from '../tls-door';
import type { FromFrontEnd, FrontEndPlan, ToFrontEnd } from './control';
import { FrontEnd } from './front-end';
import { frontEndLimits } from './limits';

/** Where the member has put the link (`front-end-child.ts`). */
const linkFd = 4;

// A terminal sends these to all processes of the member, which ends in order, and this one last.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => undefined);
// However the member has ended: nothing of it may be left behind.
process.on('disconnect', () => process.exit(0));
// What grpc-js calls errors is about connections; the clients see them.
setLogVerbosity(logVerbosity.NONE);

type ConnectionWords = Extract<ToFrontEnd, { readonly kind: 'connection' }>;

let frontEnd: FrontEnd | undefined;

function say(words: FromFrontEnd): void {
  // Nobody listens: then the end is near.
  process.send?.(words, undefined, undefined, () => undefined);
}

function onLost(error?: unknown): void {
  if (error instanceof Error) process.stderr.write(`front end: ${String(error.stack)}\n`);
  process.exit(1);
}

function start(plan: FrontEndPlan): void {
  const onFailedHandshake = (failure: FailedHandshake): void => {
    say({ kind: 'handshake-failed', failure });
  };
  frontEnd = new FrontEnd({ plan, socket: new Socket({ fd: linkFd }), onLost, onFailedHandshake });
  tierUpSooner();
  say({ kind: 'ready' });
}

function onConnection({ head, isSealed }: ConnectionWords, connection: Socket | undefined): void {
  assert(frontEnd !== undefined, 'connections come after the start');
  // A client that has gone meanwhile leaves nothing to be sent.
  if (connection !== undefined) frontEnd.take(connection, { head: Buffer.from(head, 'base64'), isSealed });
  say({ kind: 'taken' });
}

function close(): void {
  const exit = (): void => process.exit(0);
  setTimeout(exit, frontEndLimits.closeMs);
  if (frontEnd === undefined) exit();
  else frontEnd.close(exit);
}

process.on('message', (words: ToFrontEnd, connection: Socket | undefined) => {
  switch (words.kind) {
    case 'start':
      start(words.plan);
      return;
    case 'connection':
      onConnection(words, connection);
      return;
    case 'identity':
      frontEnd?.replaceIdentity(words.identity);
      return;
    case 'retire':
      frontEnd?.retire(() => {
        say({ kind: 'empty' });
      });
      return;
    case 'close':
      close();
      return;
  }
});
