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
//   one command       version 2 (1)  command
//   several commands  version 3 (1)  command  command ...
//   command           request id: 0, or 1 and the id (16)  kind (1)  fields
//
// Numbers are varints in their shortest form, byte strings have their length before them, truths are 0 or 1, ids of leases
// and members take 8 bytes. Kinds are never renumbered and never used again. Format 1 is no longer written; logs hold it.
const formatVersion = 2;
const batchVersion = 3;

/** A UUID. */
const requestIdBytes = 16;
/** The bytes around a put's key and value, at most, so that a put is written without a copy. */
const putOverheadBytes = 64;
const usualCommandBytes = 256;
const usualBatchBytes = 16 * 1024;

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
  writeCommand(writer, requestId, command);
  return writer.finish();
}

/** Encodes commands that travel in one entry. One alone is encoded as `encodeCommand` does it. */
export class BatchEncoder {
  readonly #writer = new ByteWriter(usualBatchBytes);
  count = 0;

  /** Adds a command; returns how many bytes it takes. */
  add({ requestId, command }: Command): number {
    if (this.count === 0) this.#writer.byte(batchVersion);
    this.count++;
    const before = this.#writer.length;
    writeCommand(this.#writer, requestId, command);
    return this.#writer.length - before;
  }

  /** All of them, once there is one. */
  finish(): Buffer {
    assert(this.count > 0, 'a batch holds a command');
    const bytes = this.#writer.finish();
    if (this.count === 1) bytes[0] = formatVersion;
    return bytes;
  }
}

/** True for the bytes of one command as `encodeCommand` gives them, which `joinCommands` takes. */
export function isSingle(command: Uint8Array): boolean {
  return command[0] === formatVersion;
}

/** The entry that `BatchEncoder` makes of these commands, of which there are two or more. */
export function joinCommands(commands: readonly Uint8Array[]): Uint8Array {
  assert(commands.length > 1 && commands.every(isSingle), 'single commands make a batch');
  const joined = Buffer.allocUnsafe(commands.reduce((sum, { length }) => sum + length - 1, 1));
  joined[0] = batchVersion;
  let end = 1;
  for (const command of commands) {
    joined.set(command.subarray(1), end);
    end += command.length - 1;
  }
  return joined;
}

/** A command as it stands in an entry. */
export interface LoggedCommand extends Command {
  /** Of a command with a request id: its bytes without the id, which any repetition of it has, too. */
  readonly named: Uint8Array | undefined;
}

/** What stands in an entry: one command, or several in their order. */
export type EntryCommands = LoggedCommand | readonly LoggedCommand[];

/**
 * Decodes the command of an entry, or its commands in their order. Keys and values are views on `payload`, not copies.
 *
 * @throws QuorateError `damaged` when it is not exactly one entry of a known version and kind: a member must never
 *   skip a committed entry it cannot understand, so this stops it
 */
export function decodeEntry(payload: Uint8Array): EntryCommands {
  if (payload[0] === firstFormatVersion) {
    return { requestId: undefined, command: decodeFirstFormat(payload), named: undefined };
  }
  const reader = new ByteReader(payload, notUnderstood);
  const version = reader.byte('version');
  if (version === formatVersion) {
    const command = readCommand(reader);
    reader.end();
    return command;
  }
  if (version !== batchVersion) {
    throw notUnderstood(
      `its format is version ${String(version)}, and this program knows versions ${String(firstFormatVersion)} to ` +
        String(batchVersion),
    );
  }
  const commands: LoggedCommand[] = [];
  while (!reader.isAtEnd) commands.push(readCommand(reader));
  if (commands.length < 2) throw notUnderstood('it holds fewer commands than a batch has');
  return commands;
}

/**
 * Decodes an entry of one command.
 *
 * @throws QuorateError `damaged` as `decodeEntry`, and for several commands
 */
export function decodeCommand(payload: Uint8Array): Command {
  const decoded = decodeEntry(payload);
  if (!('requestId' in decoded)) throw notUnderstood('it holds several commands where one is expected');
  const { requestId, command } = decoded;
  return { requestId, command };
}

function writeCommand(writer: ByteWriter, requestId: Command['requestId'], command: Command['command']): void {
  writer.bool(requestId !== undefined);
  if (requestId !== undefined) {
    assert(requestId.length === requestIdBytes, 'a request id is a UUID');
    writer.raw(requestId);
  }
  writePlainCommand(writer, command);
}

function readCommand(reader: ByteReader): LoggedCommand {
  const requestId = reader.bool('request id') ? reader.raw(requestIdBytes, 'request id') : undefined;
  const start = reader.position;
  const command = readPlainCommand(reader, notUnderstood);
  return { requestId, command, named: requestId === undefined ? undefined : reader.since(start) };
}

function notUnderstood(why: string): QuorateError {
  return new QuorateError('damaged', `a committed command cannot be understood: ${why}`);
}
