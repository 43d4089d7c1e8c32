/** Turns answers into text: tables for people, JSON for programs. Pure. */
import type { KeyEvent, KeyValue, MemberDescription, MemberStatus, Value } from '../client';

/** JSON that a program can rely on: 64-bit ids as decimal strings, in one line. */
export function toJson(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) => (typeof inner === 'bigint' ? inner.toString() : inner));
}

/** A value in JSON: `text` as it is, `data` in base64. Neither in a listing without values. */
function valueToJson(value: Value | undefined): { text?: string; data?: string } {
  if (value === undefined) return {};
  if (typeof value === 'string') return { text: value };
  return { data: Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64') };
}

/** A key in JSON. */
export function keyValueToJson(kv: KeyValue): object {
  const { key, createRevision, modRevision, version, leaseId } = kv;
  return {
    key,
    ...valueToJson(kv.value),
    createRevision,
    modRevision,
    version,
    ...(leaseId === undefined ? {} : { leaseId }),
  };
}

/** A key in JSON that may not be there: nothing then. */
export function previousToJson(previous: KeyValue | undefined): { previous?: object } {
  return previous === undefined ? {} : { previous: keyValueToJson(previous) };
}

/** One change of a key in JSON. */
export function eventToJson({ type, kv, previous }: KeyEvent): object {
  if (type === 'put') return { type, kv: keyValueToJson(kv), ...previousToJson(previous) };
  return { type, kv: { key: kv.key, modRevision: kv.modRevision }, ...previousToJson(previous) };
}

/** A member's state in JSON. */
export function statusToJson(status: MemberStatus): object {
  const peers = status.peers.map((peer) => ({ ...peer, lagEntries: status.lastLogIndex - peer.matchIndex }));
  return { ...status, leaderId: status.leaderId ?? null, peers };
}

/** A member's description in JSON. */
export function memberToJson(member: MemberDescription): object {
  const { id, name, peerAddress, clientAddress, standing } = member;
  return { id, name, peerAddress, clientAddress, standing };
}

/** A value for a terminal: nothing in it can move the cursor or change colours. */
export function valueForTerminal(value: Value | undefined): string {
  if (value === undefined) return '';
  if (typeof value === 'string') return escapeControls(value);
  const hex = Buffer.from(value.subarray(0, MAX_SHOWN_BYTES)).toString('hex');
  return `(${plural(value.length, 'byte')}) ${hex}${value.length > MAX_SHOWN_BYTES ? '...' : ''}`;
}

const MAX_SHOWN_BYTES = 32;

/** Writes control characters as `\n`, `\t` or `\x1b`, and the backslash twice; keeps everything else. */
export function escapeControls(text: string): string {
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069\\]/g, (character) => {
    const short = shortEscapes.get(character);
    if (short !== undefined) return short;
    const code = character.charCodeAt(0);
    return code <= 0xff ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16).padStart(4, '0')}`;
  });
}

const shortEscapes: ReadonlyMap<string, string> = new Map([
  ['\n', '\\n'],
  ['\r', '\\r'],
  ['\t', '\\t'],
  ['\\', '\\\\'],
]);

/** Cuts a text to a number of characters, with an ellipsis. */
export function cut(text: string, width: number): string {
  const characters = [...text];
  return characters.length <= width ? text : `${characters.slice(0, Math.max(0, width - 1)).join('')}…`;
}

/** Lines of a table: columns as wide as their widest cell, two spaces between, nothing at the end of a line. */
export function tableLines(rows: readonly (readonly string[])[]): string[] {
  const widths: number[] = [];
  for (const row of rows) {
    row.forEach((cell, column) => {
      widths[column] = Math.max(widths[column] ?? 0, [...cell].length);
    });
  }
  return rows.map((row) =>
    row
      .map((cell, column) => cell + ' '.repeat((widths[column] ?? 0) - [...cell].length))
      .join('  ')
      .trimEnd(),
  );
}

/** Bytes for people: `482 B`, `1.5 MiB`. */
export function bytesForPeople(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let amount = bytes;
  let unit = 0;
  while (amount >= 1024 && unit < units.length - 1) {
    amount /= 1024;
    unit++;
  }
  return `${unit === 0 ? String(amount) : amount.toFixed(1)} ${units[unit] ?? 'B'}`;
}

/** `1 key`, `2 keys`. */
export function plural(count: number, noun: string): string {
  return `${String(count)} ${noun}${count === 1 ? '' : 's'}`;
}

/** A command line for a POSIX shell, quoted where it must be. */
export function shellCommand(words: readonly string[]): string {
  return words.map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`)).join(' ');
}

/** Milliseconds for people: `450 ms`, `30 s`, `1.5 h`. */
export function durationForPeople(durationMs: number): string {
  const units: readonly (readonly [unitMs: number, name: string])[] = [
    [86_400_000, 'd'],
    [3_600_000, 'h'],
    [60_000, 'min'],
    [1_000, 's'],
  ];
  const [unitMs, name] = units.find(([least]) => durationMs >= least) ?? [1, 'ms'];
  return `${String(Math.round((10 * durationMs) / unitMs) / 10)} ${name}`;
}
