/** Commands as bytes, in the payload of a log entry: compact, versioned, one encoding for each command. */
import { assert, unreachable } from '../base/assert';
import { QuorateError } from '../base/error';
import type { Command, DeleteCommand, PutCommand, ValueForm } from './command';

// Layout, in bytes:
//
//   put     version (1)  kind (1)  form (1)  length of key (varint, shortest form)  key  value
//   delete  version (1)  kind (1)  key
//
// The last field takes the rest of the payload, whose length the log knows. A varint holds 7 bits a byte, lowest
// first, and the top bit says that more follow. Kinds and forms are never renumbered and never used again.
const formatVersion = 1;
const putKind = 1;
const deleteKind = 2;
const textForm = 1;
const bytesForm = 2;

/** Bytes before the length of a put's key. */
const putPrefixBytes = 3;
/** Bytes before a delete's key. */
const deletePrefixBytes = 2;
/** Four varint bytes hold 28 bits: keys of up to 256 MiB, far above any limit of the service. */
const maxKeyLengthBytes = 4;
/** Longest key that can be encoded. */
const maxEncodableKeyBytes = 2 ** (7 * maxKeyLengthBytes) - 1;

/**
 * Encodes a command. Equal commands give equal bytes, on every member and in every version that writes this format.
 *
 * The result may share its `ArrayBuffer` with other buffers (Node's pool); its bytes never change.
 */
export function encodeCommand(command: Command): Buffer {
  assert(command.key.length > 0, 'a key is not empty');
  assert(command.key.length <= maxEncodableKeyBytes, 'a key is short enough to encode');
  switch (command.kind) {
    case 'put':
      return encodePut(command);
    case 'delete':
      return encodeDelete(command);
    default:
      return unreachable(command);
  }
}

/**
 * Decodes a committed command. Key and value are views on `payload`, not copies.
 *
 * @throws QuorateError `damaged` when it is not exactly one command of a known version and kind: a member must never
 *   skip a committed entry it cannot understand, so this stops it
 */
export function decodeCommand(payload: Uint8Array): Command {
  const version = payload[0];
  if (version === undefined) throw notUnderstood('it is empty');
  if (version !== formatVersion) {
    throw notUnderstood(
      `its format is version ${String(version)}, and this program knows version ${String(formatVersion)}`,
    );
  }
  const kind = payload[1];
  switch (kind) {
    case putKind:
      return decodePut(payload);
    case deleteKind:
      return decodeDelete(payload);
    case undefined:
      throw notUnderstood('it ends before its kind');
    default:
      throw notUnderstood(`it is of kind ${String(kind)}, which this program does not know`);
  }
}

function encodePut({ key, value, form }: PutCommand): Buffer {
  const keyAt = putPrefixBytes + varintBytes(key.length);
  const payload = Buffer.allocUnsafe(keyAt + key.length + value.length);
  payload[0] = formatVersion;
  payload[1] = putKind;
  payload[2] = form === 'text' ? textForm : bytesForm;
  writeVarint(payload, putPrefixBytes, key.length);
  payload.set(key, keyAt);
  payload.set(value, keyAt + key.length);
  return payload;
}

function encodeDelete({ key }: DeleteCommand): Buffer {
  const payload = Buffer.allocUnsafe(deletePrefixBytes + key.length);
  payload[0] = formatVersion;
  payload[1] = deleteKind;
  payload.set(key, deletePrefixBytes);
  return payload;
}

function decodePut(payload: Uint8Array): PutCommand {
  const form = decodeForm(payload[2]);
  const keyLength = readKeyLength(payload);
  const keyAt = putPrefixBytes + varintBytes(keyLength);
  const valueAt = keyAt + keyLength;
  if (keyLength === 0) throw notUnderstood('its key is empty');
  if (valueAt > payload.length) {
    throw notUnderstood(`its key should end at byte ${String(valueAt)} and there are ${String(payload.length)}`);
  }
  return { kind: 'put', key: payload.subarray(keyAt, valueAt), value: payload.subarray(valueAt), form };
}

function decodeDelete(payload: Uint8Array): DeleteCommand {
  if (payload.length === deletePrefixBytes) throw notUnderstood('its key is empty');
  if (payload.length - deletePrefixBytes > maxEncodableKeyBytes) throw notUnderstood('its key is too long');
  return { kind: 'delete', key: payload.subarray(deletePrefixBytes) };
}

function decodeForm(form: number | undefined): ValueForm {
  switch (form) {
    case textForm:
      return 'text';
    case bytesForm:
      return 'bytes';
    case undefined:
      throw notUnderstood("it ends before its value's form");
    default:
      throw notUnderstood(`its value is of form ${String(form)}, which this program does not know`);
  }
}

function varintBytes(length: number): number {
  if (length < 2 ** 7) return 1;
  if (length < 2 ** 14) return 2;
  return length < 2 ** 21 ? 3 : 4;
}

function writeVarint(payload: Uint8Array, offset: number, length: number): void {
  let rest = length;
  let at = offset;
  while (rest >= 0x80) {
    payload[at++] = (rest & 0x7f) | 0x80;
    rest >>>= 7;
  }
  payload[at] = rest;
}

function readKeyLength(payload: Uint8Array): number {
  let length = 0;
  for (let i = 0; i < maxKeyLengthBytes; i++) {
    const byte = payload[putPrefixBytes + i];
    if (byte === undefined) throw notUnderstood("it ends within its key's length");
    length |= (byte & 0x7f) << (7 * i);
    if (byte < 0x80) {
      // One command, one encoding: a longer form of the same number would make equal commands differ.
      if (varintBytes(length) !== i + 1) throw notUnderstood("its key's length is not in the shortest form");
      return length;
    }
  }
  throw notUnderstood("its key's length is longer than any key");
}

function notUnderstood(why: string): QuorateError {
  return new QuorateError('damaged', `a committed command cannot be understood: ${why}`);
}
