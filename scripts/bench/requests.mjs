// The requests of the benchmarks, encoded beforehand: a file of gRPC frames for the load generator.
import { writeFile } from 'node:fs/promises';

/** A length-delimited field of protobuf. */
function field(number, bytes) {
  const length = [];
  let rest = bytes.length;
  for (; rest > 0x7f; rest >>>= 7) length.push((rest & 0x7f) | 0x80);
  return Buffer.concat([Buffer.from([(number << 3) | 2, ...length, rest]), bytes]);
}

/** A frame of gRPC: not compressed, length, message. */
function frame(message) {
  const header = Buffer.alloc(5);
  header.writeUInt32BE(message.length, 1);
  return Buffer.concat([header, message]);
}

const keyOf = (at) => field(1, Buffer.from(`bench/${String(at).padStart(8, '0')}`));

/** Writes one PutRequest for each of `keys` keys. */
export async function writePuts(file, { keys, valueBytes }) {
  const value = field(3, Buffer.alloc(valueBytes, 'v'));
  await writeFile(
    file,
    Buffer.concat(Array.from({ length: keys }, (_, at) => frame(Buffer.concat([keyOf(at), value])))),
  );
}

/** Writes one GetRequest for each of `keys` keys. */
export async function writeGets(file, { keys }) {
  await writeFile(file, Buffer.concat(Array.from({ length: keys }, (_, at) => frame(keyOf(at)))));
}
