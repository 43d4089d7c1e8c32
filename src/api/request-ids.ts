/** Request ids as requests carry them: UUIDs of version 7 in text form, of an age that the store can remember. */
import type { QuorateError } from '../base/error';
import { parseUuid7, uuid7TimeMs } from '../base/uuid7';
import type { RequestId } from '../kv/command';
import { invalid } from './validate';

/**
 * How far the time in an id may be from the wall clock of the member that is called. The store refuses every id that is
 * not above the greatest it has forgotten: one far ahead would, once forgotten, take all that are made until then with it.
 */
export const requestIdWindow = { behindMs: 60 * 60_000, aheadMs: 5 * 60_000 } as const;

/**
 * The id in a request; `undefined` when the field is empty.
 *
 * @param wallClockMs milliseconds since 1970
 * @throws QuorateError `invalid-argument`
 */
export function checkedRequestId(text: string, wallClockMs: number): RequestId | undefined {
  if (text === '') return undefined;
  const id = parseUuid7(text);
  if (id === undefined) throw noUuid(text);
  const aheadMs = uuid7TimeMs(id) - wallClockMs;
  if (aheadMs > requestIdWindow.aheadMs) throw outOfTime(`${seconds(aheadMs)} ahead`, wallClockMs);
  if (aheadMs < -requestIdWindow.behindMs) throw outOfTime(`${seconds(-aheadMs)} old`, wallClockMs);
  return id;
}

function noUuid(text: string): QuorateError {
  return invalid('request_id', 'is no request id', {
    limit: 'a UUID of version 7, such as 01890a5d-ac96-774b-bcce-b302099a8057',
    actual: `another text of ${String(text.length)} characters`,
  });
}

function outOfTime(actual: string, requestTimeMs: number): QuorateError {
  const { behindMs, aheadMs } = requestIdWindow;
  const limit = `one made at most ${seconds(behindMs)} ago and at most ${seconds(aheadMs)} ahead of this member's clock`;
  return invalid('request_id', 'was made at another time', { limit, actual, requestTimeMs });
}

function seconds(milliseconds: number): string {
  return `${String(Math.round(milliseconds / 1000))} s`;
}
