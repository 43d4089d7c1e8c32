/** `quorate put`: stores a value under a key. */
import { createReadStream } from 'node:fs';
import { isUtf8 } from 'node:buffer';
import type { Command } from 'commander';
import { QuorateError, type Value } from '../client';
import { addClientOptions, runVerb, type ClientCommandOptions } from './client-command';
import { exitCode } from './exit-code';
import { toJson } from './format';

/** The largest value read from a file or from standard input, in bytes; the members' own limit is lower. */
const MAX_INPUT_BYTES = 64 * 1024 * 1024;

interface PutOptions extends ClientCommandOptions {
  readonly file?: string;
}

/** Where the value comes from. */
export type ValueSource =
  | { readonly kind: 'argument'; readonly text: string }
  | { readonly kind: 'stdin' }
  | { readonly kind: 'file'; readonly path: string };

export function registerPutCommand(program: Command): void {
  const command = program
    .command('put')
    .description('Store a value under a key. Durable on a majority of the members when it returns.')
    .argument('<key>', 'the key, text, not empty')
    .argument('[value]', 'the value, text; - reads it from standard input, as it is')
    .option('--file <path>', 'store the bytes of this file');
  addClientOptions(command).action(async (key: string, value: string | undefined, options: PutOptions) => {
    const source = valueSource(value, options.file);
    if (source === undefined) return command.error('error: give exactly one of VALUE (or -) and --file');
    await runVerb(options, async ({ client, json, write }) => {
      const answer = await client.put(key, await readValue(source));
      const { revision, createRevision, version } = answer;
      await write(json ? `${toJson({ revision, createRevision, version })}\n` : `OK, revision ${String(revision)}\n`);
      return exitCode.ok;
    });
  });
}

/** Which source the arguments name; `undefined` unless it is exactly one. */
export function valueSource(value: string | undefined, file: string | undefined): ValueSource | undefined {
  if (value !== undefined && file !== undefined) return undefined;
  if (file !== undefined) return { kind: 'file', path: file };
  if (value === undefined) return undefined;
  return value === '-' ? { kind: 'stdin' } : { kind: 'argument', text: value };
}

async function readValue(source: ValueSource): Promise<Value> {
  switch (source.kind) {
    case 'argument':
      return source.text;
    case 'stdin':
      return textIfUtf8(await readAll(process.stdin, 'standard input'));
    case 'file':
      return readAll(createReadStream(source.path), source.path);
  }
}

/** Text when the bytes are valid UTF-8, so that it reads as text everywhere; the bytes otherwise. */
export function textIfUtf8(bytes: Buffer): Value {
  return isUtf8(bytes) ? bytes.toString('utf8') : bytes;
}

async function readAll(stream: AsyncIterable<unknown>, name: string): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    for await (const chunk of stream) {
      const bytes = chunk as Buffer;
      length += bytes.length;
      if (length > MAX_INPUT_BYTES) throw unusable(`${name} holds more than ${String(MAX_INPUT_BYTES)} bytes`);
      chunks.push(bytes);
    }
  } catch (error) {
    if (error instanceof QuorateError) throw error;
    throw unusable(`cannot read ${name}: ${error instanceof Error ? error.message : String(error)}`);
  }
  return Buffer.concat(chunks);
}

function unusable(message: string): QuorateError {
  return new QuorateError('invalid-argument', message, { details: { field: 'value' } });
}
