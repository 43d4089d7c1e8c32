/** Holds messages back until the term and vote they speak of are durable (invariant S8). */
import { assert } from '../base/assert';
import type { Envelope } from '../raft';
import type { Transport } from '../transport/transport';

/** Between the core and the transport. Keeps the order. */
export class Outbox {
  readonly #transport: Transport;
  #hardStatesOnTheirWay = 0;
  #held: Envelope[] = [];

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** A hard state was handed to the storage: nothing leaves until it is durable. */
  hold(): void {
    this.#hardStatesOnTheirWay++;
  }

  /** A hard state became durable. */
  release(): void {
    assert(this.#hardStatesOnTheirWay > 0, 'only what was held is released');
    this.#hardStatesOnTheirWay--;
    if (this.#hardStatesOnTheirWay > 0) return;
    const held = this.#held;
    this.#held = [];
    this.#sendAll(held);
  }

  send(messages: readonly Envelope[]): void {
    if (this.#hardStatesOnTheirWay > 0) this.#held.push(...messages);
    else this.#sendAll(messages);
  }

  #sendAll(messages: readonly Envelope[]): void {
    for (const { to, message } of messages) {
      // These travel outside the messages, if at all (transport/transport.ts).
      if (message.kind === 'install-snapshot' || message.kind === 'install-snapshot-response') continue;
      this.#transport.send(to, message);
    }
  }
}
