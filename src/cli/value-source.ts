/** Values from the command line, from standard input or from a file. */
import { isUtf8 } from 'node:buffer';
import { createReadStream } from 'node:fs';
import { QuorateError, type Value } from '../client';

/** The largest value read from a file or from standard input, in bytes; the members' own limit is lower. */
const MAX_INPUT_BYTES = 64 * 1024 * 1024;

/** Where the value comes from. */
export type ValueSource =
  | { readonly kind: 'argument'; readonly text: string }
  | { readonly kind: 'stdin' }
  | { readonly kind: 'file'; readonly path: string };

/** Which source the arguments name; `undefined` unless it is exactly one. */
export function valueSource(value: string | undefined, file: string | undefined): ValueSource | undefined {
  if (value !== undefined && file !== undefined) return undefined;
  if (file !== undefined) return { kind: 'file', path: file };
  if (value === undefined) return undefined;
  return value === '-' ? { kind: 'stdin' } : { kind: 'argument', text: value };
}

/** @throws QuorateError `invalid-argument` when it cannot be read, or is too large */
export async function readValue(source: ValueSource): Promise<Value> {
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

/** @throws QuorateError `invalid-argument` */
export async function readAll(stream: AsyncIterable<unknown>, name: string): Promise<Buffer> {
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
