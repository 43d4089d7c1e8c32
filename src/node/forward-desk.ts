/** Requests of other members, admitted to this member's core while it leads, and their answers. */
import { assert } from '../base/assert';
import { RenewingMap } from '../base/renewing-map';
import type { Event, MemberId, ProposeResult, ReadResult } from '../raft';
import type { ForwardMessage, Transport } from '../transport/transport';
import { isProposal } from './proposal-codec';

/** A request from another member. */
export type ForwardRequest = Extract<ForwardMessage, { kind: 'forward-proposals' | 'forward-read' }>;

interface Asker {
  readonly from: MemberId;
  readonly requestId: number;
}

/** Keeps who asked, under ids of its own. The core answers every event, so what is kept is bounded by the core's limits. */
export class ForwardDesk {
  readonly #transport: Transport;
  readonly #askers = new RenewingMap<number, Asker>();
  #nextId = 1;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** The event that carries the request to the core; `undefined` for a batch that no member of ours would send. */
  admit(from: MemberId, request: ForwardRequest): Event | undefined {
    if (request.kind === 'forward-proposals' && !request.payloads.every(isProposal)) return undefined;
    const id = this.#nextId++;
    this.#askers.set(id, { from, requestId: request.requestId });
    if (request.kind === 'forward-read') return { kind: 'read', id, askedBy: from };
    const { term, payloads } = request;
    return { kind: 'propose', id, term, proposals: commandProposals(payloads), askedBy: from };
  }

  /** Answers a refused batch. One that was appended needs no answer: the member that asked sees it applied. */
  onProposed(result: ProposeResult): void {
    const { from, requestId } = this.#take(result.id);
    if (!result.accepted) this.#transport.send(from, { kind: 'forward-refused', requestId, reason: result.reason });
  }

  onRead(result: ReadResult): void {
    const { from, requestId } = this.#take(result.id);
    this.#transport.send(
      from,
      result.confirmed
        ? { kind: 'forward-read-index', requestId, readIndex: result.readIndex }
        : { kind: 'forward-refused', requestId, reason: result.reason },
    );
  }

  #take(id: number): Asker {
    const asker = this.#askers.get(id);
    assert(asker !== undefined, 'every admitted request is answered once');
    this.#askers.delete(id);
    return asker;
  }
}

/** Payloads as the core takes them. */
export function commandProposals(payloads: readonly Uint8Array[]): { kind: 'command'; payload: Uint8Array }[] {
  return payloads.map((payload) => ({ kind: 'command', payload }));
}
