/** A configuration as the payload of a log entry: fixed-width binary, equal configurations give equal bytes. */
import { assert } from '../base/assert';
import { configurationParts as parts, isValidConfiguration } from './membership';
import type { Configuration, MemberId } from './types';

/** What a configuration entry holds. */
export interface ConfigurationPayload {
  readonly configuration: Configuration;
  /** What the program keeps beside the ids, such as names and addresses; opaque to the core. */
  readonly context: Uint8Array;
}

const version = 1;
const autoLeaveFlag = 1;
/** Version, flags, and a 16-bit count for each part. */
const headerBytes = 2 + 2 * parts.length;
const idBytes = 8;

/**
 * Version, flags, counts, then the ids of each part, then the context; big endian.
 *
 * @throws AssertionError for a configuration that cannot be (`isValidConfiguration`)
 */
export function encodeConfiguration({ configuration, context }: ConfigurationPayload): Uint8Array {
  assert(isValidConfiguration(configuration), 'a configuration that is written can be');
  const ids = parts.flatMap((part) => configuration[part]);
  const bytes = new Uint8Array(headerBytes + idBytes * ids.length + context.length);
  const view = new DataView(bytes.buffer);
  view.setUint8(0, version);
  view.setUint8(1, configuration.autoLeave ? autoLeaveFlag : 0);
  parts.forEach((part, at) => {
    view.setUint16(2 + 2 * at, configuration[part].length);
  });
  ids.forEach((id, at) => {
    view.setBigUint64(headerBytes + idBytes * at, id);
  });
  bytes.set(context, headerBytes + idBytes * ids.length);
  return bytes;
}

/**
 * Reads what `encodeConfiguration` wrote. The context is a view of `bytes`, not a copy.
 *
 * @returns `undefined` for bytes that no `encodeConfiguration` made
 */
export function decodeConfiguration(bytes: Uint8Array): ConfigurationPayload | undefined {
  if (bytes.length < headerBytes || bytes[0] !== version || (bytes[1] ?? 0) > autoLeaveFlag) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const counts = parts.map((_, at) => view.getUint16(2 + 2 * at));
  const total = counts.reduce((sum, count) => sum + count, 0);
  if (bytes.length < headerBytes + idBytes * total) return undefined;
  let at = headerBytes;
  const read = (count: number): MemberId[] =>
    Array.from({ length: count }, () => {
      const id = view.getBigUint64(at);
      at += idBytes;
      return id;
    });
  const [voters = [], outgoing = [], learners = [], learnersNext = [], removed = []] = counts.map(read);
  const autoLeave = bytes[1] === autoLeaveFlag;
  const configuration = { voters, outgoing, learners, learnersNext, autoLeave, removed };
  return isValidConfiguration(configuration) ? { configuration, context: bytes.subarray(at) } : undefined;
}
