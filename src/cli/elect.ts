/** `quorate elect`: leads an election among a user's processes, or shows who does. */
import type { Command } from 'commander';
import type { ElectionState } from '../client';
import { duration } from './arguments';
import { addClientOptions, runVerb, type ClientCommandOptions, type VerbContext } from './client-command';
import { exitCode } from './exit-code';
import { keyValueToJson, toJson, valueForTerminal } from './format';
import { lossSentence, runHolding, waitHolding } from './holding';
import { onInterrupt } from './interrupt';
import { environmentOf } from './lock';

interface ElectOptions extends ClientCommandOptions {
  readonly value: string;
  readonly ttl: number;
  readonly wait: number;
  readonly show?: boolean;
  readonly observe?: boolean;
}

export function registerElectCommand(program: Command): void {
  const command = program
    .command('elect')
    .description(
      'Campaign in an election until elected, then run a command while leading. Without a command, print key and fencing ' +
        'token and lead until interrupted. The command finds QUORATE_KEY, QUORATE_FENCING_TOKEN and QUORATE_LEASE_ID in its ' +
        'environment, and is stopped if the leadership is lost.',
    )
    .argument('<name>', 'the name of the election')
    .argument('[command...]', 'the command and its arguments, after --')
    .option('--value <text>', 'what observers are told, such as an address', '')
    .option('--ttl <duration>', 'given up so long after this program was last heard of', duration, 30_000)
    .option('--wait <duration>', 'how long to wait until elected', duration, 600_000)
    .option('--show', 'do not campaign, and show who leads; exit with 1 if nobody does')
    .option('--observe', 'do not campaign, and show who leads whenever that changes, until interrupted');
  addClientOptions(command).action(async (name: string, words: readonly string[], options: ElectOptions) => {
    await runVerb(options, (context) => {
      if (options.show === true) return show(context, name);
      return options.observe === true ? observe(context, name) : lead(context, name, words, options);
    });
  });
}

async function show({ client, json, write }: VerbContext, name: string): Promise<number> {
  const state = await client.elections.leader(name);
  await write(stateLine(state, json));
  return state.leader === undefined ? exitCode.negative : exitCode.ok;
}

async function observe({ client, json, write }: VerbContext, name: string): Promise<number> {
  // Ends the observation, too.
  const forget = onInterrupt(() => {
    client.close();
  });
  for await (const state of client.elections.observe(name)) await write(stateLine(state, json));
  forget();
  return exitCode.ok;
}

function stateLine({ leader, revision }: ElectionState, json: boolean): string {
  if (json) {
    const kv = leader === undefined ? null : keyValueToJson(leader.kv);
    return `${toJson({ leader: kv, fencingToken: leader?.fencingToken ?? null, revision })}\n`;
  }
  if (leader === undefined) return `Nobody leads, revision ${String(revision)}\n`;
  const { kv, fencingToken } = leader;
  return `${kv.key} leads, fencing token ${String(fencingToken)}: ${valueForTerminal(kv.value)}\n`;
}

async function lead(
  { client, json, write }: VerbContext,
  name: string,
  words: readonly string[],
  options: ElectOptions,
): Promise<number> {
  const { value, ttl: ttlMs, wait: timeoutMs } = options;
  const leadership = await client.elections.campaign(name, value, { ttlMs, timeoutMs });
  const { key, fencingToken, leaseId, signal } = leadership;
  try {
    if (words.length > 0) return await runHolding(words, { signal, environment: environmentOf(leadership) });
    const sentence = `Leading ${name}: key ${key}, fencing token ${String(fencingToken)}, lease ${String(leaseId)}`;
    await write(json ? `${toJson({ name, key, fencingToken, leaseId })}\n` : `${sentence}\n`);
    return await waitHolding(signal);
  } finally {
    if (signal.aborted) process.stderr.write(lossSentence('The leadership', signal));
    else await leadership.resign();
  }
}
