/** The first format of commands: puts and deletes of one key. Read, so that old logs can be applied, and never written. */
import { QuorateError } from '../base/error';
import { ByteReader } from './byte-reader';
import { deleteOperation, putOperation } from './command-builders';
import type { DeleteOperation, PutOperation, ValueForm } from './command';

// Layout, in bytes; the last field takes the rest of the payload:
//
//   put     version (1)  kind (1)  form (1)  length of key (varint, shortest form)  key  value
//   delete  version (1)  kind (1)  key
export const firstFormatVersion = 1;
const putKind = 1;
const deleteKind = 2;
const textForm = 1;
const bytesForm = 2;

/** @throws QuorateError `damaged` when it is not exactly one command of this format */
export function decodeFirstFormat(payload: Uint8Array): PutOperation | DeleteOperation {
  const reader = new ByteReader(payload, notUnderstood);
  reader.byte('version');
  const kind = reader.byte('kind');
  switch (kind) {
    case putKind: {
      const form = readForm(reader);
      const key = reader.bytes('key');
      if (key.length === 0) throw notUnderstood('its key is empty');
      return putOperation({ key, value: payload.subarray(reader.position), form });
    }
    case deleteKind: {
      const key = payload.subarray(reader.position);
      if (key.length === 0) throw notUnderstood('its key is empty');
      return deleteOperation(key);
    }
    default:
      throw notUnderstood(`it is of kind ${String(kind)}, which its format does not have`);
  }
}

function readForm(reader: ByteReader): ValueForm {
  const form = reader.byte('form');
  if (form === textForm) return 'text';
  if (form === bytesForm) return 'bytes';
  throw notUnderstood(`its value is of form ${String(form)}, which its format does not have`);
}

function notUnderstood(why: string): QuorateError {
  return new QuorateError('damaged', `a committed command of the first format cannot be understood: ${why}`);
}
