/** UUIDs of version 7 (RFC 9562): their text form, and the time in them. */

const bytesOfUuid = 16;

/** 8-4-4-4-12 hexadecimal digits, of version 7 and the variant of the RFC. */
const form = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/i;

/** The 16 bytes of a UUID of version 7 in text form; `undefined` for any other text. Digits may be of either case. */
export function parseUuid7(text: string): Uint8Array | undefined {
  if (!form.test(text)) return undefined;
  const digits = text.replaceAll('-', '');
  const bytes = new Uint8Array(bytesOfUuid);
  for (let i = 0; i < bytesOfUuid; i++) bytes[i] = Number.parseInt(digits.slice(2 * i, 2 * i + 2), 16);
  return bytes;
}

/** When it was made, by the clock of who made it: milliseconds since 1970. */
export function uuid7TimeMs(bytes: Uint8Array): number {
  let time = 0;
  for (const byte of bytes.subarray(0, 6)) time = time * 256 + byte;
  return time;
}
