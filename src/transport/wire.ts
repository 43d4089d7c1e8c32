/** What all codecs of peer messages share: encoding by the generated code, refusing what is malformed. */
import { BinaryWriter } from '@bufbuild/protobuf/wire';
import { QuorateError } from '../base/error';

/** What a receiver accepts. */
export interface CodecLimits {
  /** Most payload bytes of one entry or forwarded proposal. */
  readonly maxEntryBytes: number;
}

/** The generated encoder of one message type. */
interface WireEncoder<T> {
  encode(message: T, writer: BinaryWriter): BinaryWriter;
}

/** The generated decoder of one message type. */
interface WireDecoder<T> {
  decode(bytes: Uint8Array): T;
}

// One writer keeps its buffer between messages: growing a new one for each doubles the cost of a large message.
const sharedWriter = new BinaryWriter();

/** Encodes one message. */
export function encodeWire<T>(type: WireEncoder<T>, message: T): Buffer {
  try {
    return asBuffer(type.encode(message, sharedWriter).finish());
  } catch (error) {
    // What was half written must not begin the next message.
    sharedWriter.finish();
    throw error;
  }
}

/**
 * Decodes one message.
 *
 * @throws QuorateError `invalid-argument` if the bytes are no such message
 */
export function decodeWire<T>(type: WireDecoder<T>, bytes: Uint8Array): T {
  return decodeOrRefuse(() => type.decode(bytes));
}

/** Runs a decoder, and turns what the protobuf library throws at malformed bytes into a refusal. */
export function decodeOrRefuse<T>(decode: () => T): T {
  try {
    return decode();
  } catch (error) {
    if (error instanceof QuorateError) throw error;
    throw new QuorateError('invalid-argument', 'the message is not well-formed', { cause: error });
  }
}

/**
 * Refuses a message unless `condition` holds.
 *
 * @param expected completes the sentence "the field must be ..."
 * @throws QuorateError `invalid-argument`
 */
export function checkField(condition: boolean, field: string, expected: string, actual: unknown): asserts condition {
  if (!condition) refuseField(field, expected, actual);
}

/** `checkField` for where so many fields are checked that the sentence may only be made when it is needed. */
export function refuseField(field: string, expected: string, actual: unknown): never {
  const details = { field, limit: expected, actual: String(actual) };
  throw new QuorateError('invalid-argument', `${field} must be ${expected}, not ${details.actual}`, { details });
}

/** A term, index or counter off the wire as a number. */
export function toSafeInteger(value: bigint | string, field: string): number {
  const number = Number(value);
  if (!Number.isSafeInteger(number)) refuseField(field, 'a safe integer', value);
  return number;
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** The gRPC (de)serializer of messages that are encoded already, or decoded by their receiver. */
export function passBytes(bytes: Buffer): Buffer {
  return bytes;
}
