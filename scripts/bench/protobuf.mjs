// As much of protobuf and gRPC framing as the requests of the benchmarks need.

/** A whole number in protobuf's variable length. */
export function varint(value) {
  const bytes = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  for (; rest > 0x7fn; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
  return Buffer.from([...bytes, Number(rest)]);
}

/** A field that holds bytes, text or a message. */
export function field(number, content) {
  const bytes = Buffer.from(content);
  return Buffer.concat([varint(number * 8 + 2), varint(bytes.length), bytes]);
}

/** A field that holds a number, a flag or a member of an enum. */
export function numberField(number, value) {
  return Buffer.concat([varint(number * 8), varint(value)]);
}

/** A message from its fields. */
export const message = (...fields) => Buffer.concat(fields);

/** A frame of gRPC: not compressed, length, message. */
export function frame(content) {
  const header = Buffer.alloc(5);
  header.writeUInt32BE(content.length, 1);
  return Buffer.concat([header, content]);
}
