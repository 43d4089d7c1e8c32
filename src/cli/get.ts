/** `quorate get`: prints the value of a key. */
import type { Command } from 'commander';
import type { KeyValue } from '../client';
import { addReadOptions, given, readOptionsOf, revisionNumber, type ReadCommandOptions } from './arguments';
import { addClientOptions, runVerb, type ClientCommandOptions } from './client-command';
import { exitCode } from './exit-code';
import { keyValueToJson, toJson, valueForTerminal } from './format';

interface GetOptions extends ClientCommandOptions, ReadCommandOptions {
  readonly revision?: number;
}

export function registerGetCommand(program: Command): void {
  const command = program
    .command('get')
    .description('Print the value of a key. Exits with 1 if there is no such key.')
    .argument('<key>', 'the key')
    .option('--revision <n>', 'as it was at this revision', revisionNumber);
  addReadOptions(addClientOptions(command)).action(async (key: string, options: GetOptions) => {
    await runVerb(options, async ({ client, json, write }) => {
      const read = { ...readOptionsOf(options), ...given({ revision: options.revision }) };
      const { kv, revision } = await client.get(key, read);
      if (json) {
        const found = kv !== undefined;
        await write(`${toJson({ found, kv: found ? keyValueToJson(kv) : null, revision })}\n`);
      } else if (kv === undefined) {
        process.stderr.write(`There is no key '${key}'.\n`);
      } else {
        await write(plainValue(kv, process.stdout.isTTY));
      }
      return kv === undefined ? exitCode.negative : exitCode.ok;
    });
  });
}

/** On a terminal something readable; elsewhere exactly what is stored, text with a line end after it. */
export function plainValue(kv: KeyValue, terminal: boolean): string | Uint8Array {
  if (terminal) return `${valueForTerminal(kv.value)}\n`;
  return typeof kv.value === 'string' ? `${kv.value}\n` : (kv.value ?? '');
}
