/** The words of a transaction in text: bare, or quoted as in JSON, or bytes in base64. */
import { QuorateError, type Value } from '../../client';

/** One word and how it was written: only a bare one can be a word of the language. */
export type Word =
  { readonly kind: 'bare' | 'quoted'; readonly text: string } | { readonly kind: 'bytes'; readonly bytes: Uint8Array };

// A quoted word may hold anything JSON can; a bare one anything but space, quotes and the sign of a comment in front.
const wordPattern = /\s*(?:(#.*)|(?:base64"([A-Za-z0-9+/]*={0,2})"|("(?:[^"\\]|\\.)*")|([^\s"]+))(?=\s|$))/y;

/**
 * The words of one line; a `#` where a word would begin starts a comment.
 *
 * @throws QuorateError `invalid-argument` for a quote that is not closed, or bad JSON within it
 */
export function wordsOf(line: string, place: string): readonly Word[] {
  const words: Word[] = [];
  const text = line.trimEnd();
  wordPattern.lastIndex = 0;
  while (wordPattern.lastIndex < text.length) {
    const match = wordPattern.exec(text);
    if (match === null) throw wrongText(place, 'a quote is not closed, or stands within a word');
    const [, comment, base64, quoted, bare] = match;
    if (comment !== undefined) break;
    if (base64 !== undefined) words.push({ kind: 'bytes', bytes: Buffer.from(base64, 'base64') });
    else if (quoted !== undefined) words.push({ kind: 'quoted', text: unquoted(quoted, place) });
    else if (bare !== undefined) words.push({ kind: 'bare', text: bare });
  }
  return words;
}

/** Reads the words of one line, one after the other. */
export class WordReader {
  readonly place: string;
  readonly #words: readonly Word[];
  #at = 0;

  constructor(words: readonly Word[], place: string) {
    this.#words = words;
    this.place = place;
  }

  /** A word of the language, or `undefined` if the next one is not among them; then it is not taken. */
  keyword<K extends string>(...keywords: readonly K[]): K | undefined {
    const word = this.#words[this.#at];
    const found = word?.kind === 'bare' ? keywords.find((keyword) => keyword === word.text) : undefined;
    if (found !== undefined) this.#at++;
    return found;
  }

  /** An option `name=value`, or `undefined` if the next word is none of these; then it is not taken. */
  option<K extends string>(...names: readonly K[]): { readonly name: K; readonly text: string } | undefined {
    const word = this.#words[this.#at];
    if (word?.kind !== 'bare') return undefined;
    const sign = word.text.indexOf('=');
    const found = names.find((name) => sign > 0 && name === word.text.slice(0, sign));
    if (found === undefined) return undefined;
    this.#at++;
    return { name: found, text: word.text.slice(sign + 1) };
  }

  text(what: string): string {
    const word = this.#next(what);
    if (word.kind === 'bytes') throw wrongText(this.place, `${what} is text, not bytes`);
    return word.text;
  }

  value(what: string): Value {
    const word = this.#next(what);
    return word.kind === 'bytes' ? word.bytes : word.text;
  }

  /** @throws QuorateError `invalid-argument` if there are more words */
  end(): void {
    const word = this.#words[this.#at];
    if (word === undefined) return;
    throw wrongText(this.place, `nothing should follow, but there is ${word.kind === 'bytes' ? 'base64' : word.text}`);
  }

  #next(what: string): Word {
    const word = this.#words[this.#at++];
    if (word === undefined) throw wrongText(this.place, `${what} is missing`);
    return word;
  }
}

/** An error about the text of a transaction. */
export function wrongText(place: string, problem: string): QuorateError {
  return new QuorateError('invalid-argument', `${place}: ${problem}`, { details: { field: 'txn' } });
}

/** What a parser of arguments makes of a word; its error names the place. */
export function parsed<T>(place: string, text: string, parse: (text: string) => T): T {
  try {
    return parse(text);
  } catch (error) {
    throw wrongText(place, `'${text}': ${error instanceof Error ? error.message : String(error)}`);
  }
}

function unquoted(quoted: string, place: string): string {
  try {
    return JSON.parse(quoted) as string;
  } catch {
    throw wrongText(place, `${quoted} is not quoted as JSON demands`);
  }
}
