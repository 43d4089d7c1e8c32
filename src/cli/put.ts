/** `quorate put`: stores a value under a key. */
import type { Command } from 'commander';
import type { PutAnswer, PutOptions } from '../client';
import { duration, given, leaseId, requestIdOption, revisionNumber } from './arguments';
import { addClientOptions, runVerb, type ClientCommandOptions } from './client-command';
import { exitCode } from './exit-code';
import { previousToJson, toJson, valueForTerminal } from './format';
import { readValue, valueSource } from './value-source';

interface PutCommandOptions extends ClientCommandOptions {
  readonly file?: string;
  readonly ttl?: number;
  readonly lease?: bigint;
  readonly keepLease?: boolean;
  readonly ifRevision?: number;
  readonly ifAbsent?: boolean;
  readonly returnPrevious?: boolean;
  readonly requestId?: string;
}

export function registerPutCommand(program: Command): void {
  const command = program
    .command('put')
    .description('Store a value under a key. Durable on a majority of the members when it returns.')
    .argument('<key>', 'the key, text, not empty')
    .argument('[value]', 'the value, text; - reads it from standard input, as it is')
    .option('--file <path>', 'store the bytes of this file')
    .option('--ttl <duration>', 'delete the key after this time, such as 30s or 2h; rounded up to seconds', duration)
    .option('--lease <id>', 'the key ends with this lease', leaseId)
    .option('--keep-lease', 'the key keeps the lease it has; it must be there')
    .option('--if-revision <n>', 'only if the key was last changed at this revision', revisionNumber)
    .option('--if-absent', 'only if the key is not there')
    .option('--return-previous', 'show the key as it was')
    .addOption(requestIdOption());
  addClientOptions(command).action(async (key: string, value: string | undefined, options: PutCommandOptions) => {
    const source = valueSource(value, options.file);
    if (source === undefined) return command.error('error: give exactly one of VALUE (or -) and --file');
    await runVerb(options, async ({ client, json, write }) => {
      const answer = await client.put(key, await readValue(source), putOptionsOf(options));
      await write(json ? `${toJson(putToJson(answer))}\n` : putSentence(answer));
      return exitCode.ok;
    });
  });
}

function putOptionsOf(options: PutCommandOptions): PutOptions {
  const { ttl: ttlMs, lease, keepLease, ifRevision, ifAbsent, returnPrevious, requestId } = options;
  return given({ ttlMs, leaseId: lease, keepLease, ifRevision, ifAbsent, returnPrevious, requestId });
}

function putToJson({ revision, createRevision, version, previous, leaseId: lease, replayed }: PutAnswer): object {
  const more = { ...(lease === undefined ? {} : { leaseId: lease }), ...previousToJson(previous), replayed };
  return { revision, createRevision, version, ...more };
}

function putSentence({ revision, leaseId: lease, previous, replayed }: PutAnswer): string {
  const facts = [`OK, revision ${String(revision)}`];
  if (lease !== undefined) facts.push(`lease ${String(lease)}`);
  if (replayed) facts.push('done before');
  const before = previous === undefined ? '' : `before: ${valueForTerminal(previous.value)}\n`;
  return `${facts.join(', ')}\n${before}`;
}
