/** A connection of HTTP/2, byte by byte: for what no library sends, or not at such moments. */
import { connect, type Socket } from 'node:net';

const headerBytes = 9;
const pingType = 6;
const ackFlag = 1;

function frame(type: number, payload: Buffer): Buffer {
  const header = Buffer.alloc(headerBytes);
  header.writeUIntBE(payload.length, 0, 3);
  header[3] = type;
  return Buffer.concat([header, payload]);
}

/** How a client begins: the fixed text, and settings that change nothing. */
export const preface = Buffer.concat([Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), frame(4, Buffer.alloc(0))]);

export class RawHttp2 {
  readonly socket: Socket;
  isClosed = false;
  /** Pings that were answered, by their numbers, in the order of the answers. */
  readonly answered: number[] = [];
  #rest: Buffer = Buffer.alloc(0);

  constructor(port: number) {
    this.socket = connect({ port, host: '127.0.0.1', noDelay: true });
    this.socket.on('error', () => undefined).once('close', () => (this.isClosed = true));
    this.socket.on('data', (bytes: Buffer) => {
      this.#read(bytes);
    });
  }

  ping(number: number): void {
    const payload = Buffer.alloc(8);
    payload.writeUInt32BE(number);
    this.socket.write(frame(pingType, payload));
  }

  #read(bytes: Buffer): void {
    this.#rest = Buffer.concat([this.#rest, bytes]);
    while (this.#rest.length >= headerBytes) {
      const end = headerBytes + this.#rest.readUIntBE(0, 3);
      if (this.#rest.length < end) return;
      if (this.#rest[3] === pingType && this.#rest[4] === ackFlag)
        this.answered.push(this.#rest.readUInt32BE(headerBytes));
      this.#rest = this.#rest.subarray(end);
    }
  }
}
