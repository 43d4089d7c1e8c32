/** Commands as bytes, in the payload of a log entry: compact, versioned, one encoding for each command. */
import { assert } from '../base/assert';
import { QuorateError } from '../base/error';
import { ByteReader } from './byte-reader';
import { ByteWriter } from './byte-writer';
import type { Command } from './command';
import { decodeFirstFormat, firstFormatVersion } from './command-codec-v1';
import { readPlainCommand, writePlainCommand } from './plain-command-codec';

// Layout, in bytes:
//
//   version (1)  request id: 0, or 1 and the id (16)  kind (1)  fields of the command
//
// Numbers are varints in their shortest form, byte strings have their length before them, truths are 0 or 1, ids of leases
// and members take 8 bytes. Kinds are never renumbered and never used again. Format 1 is no longer written; logs hold it.
const formatVersion = 2;

/** A UUID. */
const requestIdBytes = 16;
/** The bytes around a put's key and value, at most, so that a put is written without a copy. */
const putOverheadBytes = 64;
const usualCommandBytes = 256;

/**
 * Encodes a command. Equal commands give equal bytes, on every member and in every version that writes this format.
 *
 * The result may share its `ArrayBuffer` with other buffers (Node's pool); its bytes never change.
 */
export function encodeCommand({ requestId, command }: Command): Buffer {
  const writer = new ByteWriter(
    command.kind === 'put' ? command.key.length + command.value.length + putOverheadBytes : usualCommandBytes,
  );
  writer.byte(formatVersion);
  writer.bool(requestId !== undefined);
  if (requestId !== undefined) {
    assert(requestId.length === requestIdBytes, 'a request id is a UUID');
    writer.raw(requestId);
  }
  writePlainCommand(writer, command);
  return writer.finish();
}

/**
 * Decodes a committed command. Keys and values are views on `payload`, not copies.
 *
 * @throws QuorateError `damaged` when it is not exactly one command of a known version and kind: a member must never
 *   skip a committed entry it cannot understand, so this stops it
 */
export function decodeCommand(payload: Uint8Array): Command {
  if (payload[0] === firstFormatVersion) return { requestId: undefined, command: decodeFirstFormat(payload) };
  const reader = new ByteReader(payload, notUnderstood);
  const version = reader.byte('version');
  if (version !== formatVersion) {
    throw notUnderstood(
      `its format is version ${String(version)}, and this program knows versions ${String(firstFormatVersion)} and ` +
        String(formatVersion),
    );
  }
  const requestId = reader.bool('request id') ? reader.raw(requestIdBytes, 'request id') : undefined;
  const command = readPlainCommand(reader, notUnderstood);
  reader.end();
  return { requestId, command };
}

/** Of a command with a request id: its bytes without version and id, which any repetition of it has, too. */
export function namedCommandBytes(payload: Uint8Array): Uint8Array {
  return payload.subarray(2 + requestIdBytes);
}

function notUnderstood(why: string): QuorateError {
  return new QuorateError('damaged', `a committed command cannot be understood: ${why}`);
}
