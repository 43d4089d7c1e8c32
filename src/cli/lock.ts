/** `quorate lock`: holds a lock while a command runs, or until it is told to stop. */
import type { Command } from 'commander';
import type { HeldLock } from '../client';
import { duration, given } from './arguments';
import { addClientOptions, runVerb, type ClientCommandOptions, type VerbContext } from './client-command';
import { exitCode } from './exit-code';
import { toJson } from './format';
import { lossSentence, runHolding, waitHolding } from './holding';

interface LockCommandOptions extends ClientCommandOptions {
  readonly ttl: number;
  readonly wait: number;
  readonly try?: boolean;
  readonly owner?: string;
  readonly show?: boolean;
}

export function registerLockCommand(program: Command): void {
  const command = program
    .command('lock')
    .description(
      'Take a lock and run a command while holding it. Without a command, print key and fencing token and hold it until ' +
        'interrupted. The command finds QUORATE_KEY, QUORATE_FENCING_TOKEN and QUORATE_LEASE_ID in its environment, and is ' +
        'stopped if the lock is lost.',
    )
    .argument('<name>', 'the name of the lock')
    .argument('[command...]', 'the command and its arguments, after --')
    .option('--ttl <duration>', 'freed so long after this program was last heard of', duration, 30_000)
    .option('--wait <duration>', 'how long to wait until it is free', duration, 600_000)
    .option('--try', 'do not wait: exit with 1 if it is held')
    .option('--owner <text>', 'who holds it, for others to see')
    .option('--show', 'take nothing, and show who holds it; exit with 1 if nobody does');
  addClientOptions(command).action(async (name: string, words: readonly string[], options: LockCommandOptions) => {
    await runVerb(options, (context) =>
      options.show === true ? show(context, name) : takeAndHold(context, name, words, options),
    );
  });
}

async function show({ client, json, write }: VerbContext, name: string): Promise<number> {
  const { holder, waiting, revision } = await client.locks.get(name);
  if (json) {
    await write(`${toJson({ holder: holder ?? null, waiting, revision })}\n`);
  } else if (holder === undefined) {
    await write('Nobody holds it\n');
  } else {
    const { key, fencingToken, leaseId, owner } = holder;
    const facts = [`key ${key}`, `fencing token ${String(fencingToken)}`, `lease ${String(leaseId)}`];
    if (owner !== '') facts.push(`owner ${owner}`);
    await write(`Held: ${facts.join(', ')}; ${String(waiting)} waiting\n`);
  }
  return holder === undefined ? exitCode.negative : exitCode.ok;
}

async function takeAndHold(
  { client, json, write }: VerbContext,
  name: string,
  words: readonly string[],
  options: LockCommandOptions,
): Promise<number> {
  const lock = await client.locks.acquire(name, {
    ttlMs: options.ttl,
    timeoutMs: options.wait,
    noWait: options.try ?? false,
    ...given({ owner: options.owner }),
  });
  try {
    if (words.length > 0) return await runHolding(words, { signal: lock.signal, environment: environmentOf(lock) });
    const { key, fencingToken, leaseId } = lock;
    const sentence = `Holding ${name}: key ${key}, fencing token ${String(fencingToken)}, lease ${String(leaseId)}`;
    await write(json ? `${toJson({ name, key, fencingToken, leaseId })}\n` : `${sentence}\n`);
    return await waitHolding(lock.signal);
  } finally {
    if (lock.signal.aborted) process.stderr.write(lossSentence('The lock', lock.signal));
    else await lock.release();
  }
}

/** What a command finds in its environment, of a lock or a leadership. */
export function environmentOf(
  held: Pick<HeldLock, 'key' | 'fencingToken' | 'leaseId'>,
): Readonly<Record<string, string>> {
  return {
    QUORATE_KEY: held.key,
    QUORATE_FENCING_TOKEN: String(held.fencingToken),
    QUORATE_LEASE_ID: String(held.leaseId),
  };
}
