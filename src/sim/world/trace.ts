/** What happened, as a hash that tells two runs apart, and on request as lines that people can read. */

/** Mixes every step into 64 bits. Equal runs have equal hashes. */
export class Trace {
  #a = 0x9e3779b9;
  #b = 0x85ebca6b;
  #steps = 0;
  readonly #print: ((line: string) => void) | undefined;

  constructor(print?: (line: string) => void) {
    this.#print = print;
  }

  /** Someone reads the lines: only then they are worth making. */
  get isRead(): boolean {
    return this.#print !== undefined;
  }

  get steps(): number {
    return this.#steps;
  }

  /** A step of the world. */
  step(what: number, who: number, value: number): void {
    this.#steps++;
    this.#mix(what * 64 + who);
    this.#mix(value);
  }

  text(text: string): void {
    for (let at = 0; at < text.length; at++) this.#mix(text.charCodeAt(at));
  }

  /** For readers only; call it only if `isRead`. */
  line(time: number, text: string): void {
    this.#print?.(`${time.toFixed(3).padStart(12)}  ${text}`);
  }

  get hash(): string {
    return [this.#a, this.#b].map((part) => (part >>> 0).toString(16).padStart(8, '0')).join('');
  }

  #mix(value: number): void {
    // Fractions count too: they are times in milliseconds.
    const low = Math.floor(value * 1024) | 0;
    this.#a = Math.imul((this.#a ^ low) >>> 0, 0x01000193);
    this.#a ^= this.#a >>> 15;
    this.#b = (Math.imul(this.#b + low, 0x5bd1e995) ^ this.#a) >>> 0;
    this.#b ^= this.#b >>> 13;
  }
}
