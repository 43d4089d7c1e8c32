/** The lines of a file with keys and values in JSON. */
import { QuorateError, type Value } from '../../client';

/** One line. */
export interface Line {
  /** From 1. */
  readonly number: number;
  readonly text: string;
  /** Where it ends in the file. */
  readonly endByte: number;
}

/** The longest line, in bytes; the members' own limit for a value is lower. */
const maxLineBytes = 96 * 1024 * 1024;
const lineEnd = 0x0a;

/**
 * Splits bytes at line feeds only: JSON may hold everything else that some take for the end of a line.
 *
 * @throws QuorateError `invalid-argument` for a line that is too long
 */
export async function* linesOf(bytes: AsyncIterable<Buffer>): AsyncGenerator<Line, void, undefined> {
  let number = 0;
  let endByte = 0;
  let parts: Buffer[] = [];
  let partBytes = 0;
  const take = (last: Buffer): Line => {
    const text = Buffer.concat([...parts, last]).toString('utf8');
    endByte += partBytes + last.length + 1;
    parts = [];
    partBytes = 0;
    return { number: ++number, text, endByte };
  };
  for await (const chunk of bytes) {
    let from = 0;
    for (let to = chunk.indexOf(lineEnd); to >= 0; to = chunk.indexOf(lineEnd, from)) {
      yield take(chunk.subarray(from, to));
      from = to + 1;
    }
    parts.push(chunk.subarray(from));
    partBytes += chunk.length - from;
    if (partBytes > maxLineBytes) throw wrongLine(number + 1, `is longer than ${String(maxLineBytes)} bytes`);
  }
  if (partBytes > 0) yield take(Buffer.alloc(0));
}

/**
 * Reads the key and the value of a line; whatever else `export` writes is passed over.
 *
 * @throws QuorateError `invalid-argument` naming the line
 */
export function entryOf({ number, text }: Line): { readonly key: string; readonly value: Value } {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (error) {
    throw wrongLine(number, `is no JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
  if (typeof parsed !== 'object' || parsed === null) throw wrongLine(number, 'is no JSON object');
  const { key, text: value, data } = parsed as Readonly<Record<string, unknown>>;
  if (typeof key !== 'string' || key === '') throw wrongLine(number, 'has no key');
  if (typeof value === 'string' && data === undefined) return { key, value };
  if (typeof data === 'string' && value === undefined && isBase64(data))
    return { key, value: Buffer.from(data, 'base64') };
  throw wrongLine(number, 'must have exactly one of "text" (a string) and "data" (base64)');
}

function isBase64(text: string): boolean {
  return text.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(text);
}

function wrongLine(number: number, problem: string): QuorateError {
  const message = `line ${String(number)} ${problem}`;
  return new QuorateError('invalid-argument', message, {
    details: { field: 'file', actual: `line ${String(number)}` },
  });
}
