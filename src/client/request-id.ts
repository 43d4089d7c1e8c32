/** Request ids: UUIDs of version 7 (RFC 9562), which name one intended change however often it is sent. */
import { randomBytes } from 'node:crypto';

/** Of the 128 bits the version takes 4 and the variant 2, after 48 bits of time. */
const versionByte = 6;
const variantByte = 8;

/** The clock that a client's request ids are made by: this machine's, until a member says that it is wrong. */
export class RequestClock {
  #aheadMs = 0;

  newId(): string {
    return newRequestId(Date.now() + this.#aheadMs);
  }

  /** @param nowMs the time that ids must have now, milliseconds since 1970 */
  set(nowMs: number): void {
    this.#aheadMs = nowMs - Date.now();
  }
}

/**
 * Makes a request id: different from every other, and ordered by the time at which it was made, to the millisecond.
 *
 * @param now milliseconds since 1970; the members refuse ids that are more than an hour old or 5 minutes ahead
 * @param chance 16 bytes that no other id is made from
 */
export function newRequestId(now = Date.now(), chance: Uint8Array = randomBytes(16)): string {
  const bytes = Buffer.from(chance);
  bytes.writeUIntBE(now, 0, 6);
  bytes[versionByte] = 0x70 | ((bytes[versionByte] ?? 0) & 0x0f);
  bytes[variantByte] = 0x80 | ((bytes[variantByte] ?? 0) & 0x3f);
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
