/** Many clients that send every change several times with the same request id, through whichever member: each is done once. */
import { setTimeout as sleep } from 'node:timers/promises';
import { newRequestId, op, QuorateError, when } from '../../src/client';
import type { ErrorCode, KeyValue, QuorateClient } from '../../src/client';
import { between, type Rng } from '../../src/base/rng';
import { pick, isLucky } from '../../src/sim/world/chance';

/** A client sends each change up to so often, whatever it is told, and on until it was answered once. */
const maxSendings = 5;
/** What a client does to its own keys, over and over. */
export const changes = ['increment', 'append', 'grant', 'delete', 'delete range'] as const;
export type Change = (typeof changes)[number];

/** What an answer tells: the same for every sending. */
interface Told {
  readonly what: string;
  /** `undefined`: the client does not tell. */
  readonly replayed: boolean | undefined;
}

/** What one client is owed. */
export interface Ledger {
  /** The value that its counter must have: one for each change that was acknowledged. */
  readonly counter: number;
  readonly appended: readonly string[];
  readonly leases: readonly bigint[];
  /** Keys that it put and deleted again. */
  readonly deleted: readonly string[];
}

export interface StormVolume {
  readonly acknowledged: Map<Change, number>;
  /** Calls, repetitions included. */
  sendings: number;
  /** Answers that were those of an earlier sending. */
  replays: number;
  /** Sendings of whose outcome nobody was told. */
  unknown: number;
}

export const newVolume = (): StormVolume => ({ acknowledged: new Map(), sendings: 0, replays: 0, unknown: 0 });

/** One of the clients of the storm. */
export class StormClient {
  readonly name: string;
  readonly #members: readonly QuorateClient[];
  readonly #rng: Rng;
  readonly #volume: StormVolume;
  #counter = 0;
  readonly #appended: string[] = [];
  readonly #leases: bigint[] = [];
  readonly #deleted: string[] = [];

  /** @param members one client for each member, which tries once */
  constructor(name: string, members: readonly QuorateClient[], { rng, volume }: { rng: Rng; volume: StormVolume }) {
    this.name = name;
    this.#members = members;
    this.#rng = rng;
    this.#volume = volume;
  }

  get ledger(): Ledger {
    return { counter: this.#counter, appended: this.#appended, leases: this.#leases, deleted: this.#deleted };
  }

  /** Makes changes until told to end; every change has been acknowledged when it does. */
  async run(isOver: () => boolean): Promise<void> {
    for (let number = 0; !isOver(); number++) {
      const change = pick(this.#rng, changes);
      await this.#change(change, number);
      this.#volume.acknowledged.set(change, (this.#volume.acknowledged.get(change) ?? 0) + 1);
    }
  }

  async #change(change: Change, number: number): Promise<void> {
    const key = `${this.name}/${change}/${String(number)}`;
    switch (change) {
      case 'increment': {
        const [from, to] = [String(this.#counter), String(this.#counter + 1)];
        const counter = `${this.name}/counter`;
        const condition = this.#counter === 0 ? when.absent(counter) : when.value(counter, '=', from);
        await this.#repeat(async (client, requestId) => {
          const answer = await client.txn().if(condition).do(op.put(counter, to)).commit({ requestId });
          return { what: `${String(answer.succeeded)} ${String(answer.revision)}`, replayed: answer.replayed };
        });
        this.#counter++;
        return;
      }
      case 'append':
        await this.#repeat((client, requestId) => this.#put(client, key, requestId));
        this.#appended.push(key);
        return;
      case 'grant': {
        const told = await this.#repeat(async (client, requestId) => {
          const { leaseId } = await client.leases.grant(3_600_000, { requestId });
          return { what: String(leaseId), replayed: undefined };
        });
        this.#leases.push(BigInt(told.what));
        return;
      }
      case 'delete':
      case 'delete range':
        await this.#repeat((client, requestId) => this.#put(client, key, requestId));
        await this.#repeat(async (client, requestId) => {
          const answer =
            change === 'delete'
              ? await client.delete(key, { requestId })
              : await client.deleteRange({ kind: 'prefix', prefix: key }, { requestId });
          return { what: `${String(Number(answer.deleted))} ${String(answer.revision)}`, replayed: answer.replayed };
        });
        this.#deleted.push(key);
    }
  }

  async #put(client: QuorateClient, key: string, requestId: string): Promise<Told> {
    const { revision, version, replayed } = await client.put(key, 'x', { requestId });
    return { what: `${String(version)} ${String(revision)}`, replayed };
  }

  /** Sends a change up to five times, some of them at once; goes on until one was answered. All answers are the same. */
  async #repeat(send: (client: QuorateClient, requestId: string) => Promise<Told>): Promise<Told> {
    const requestId = newRequestId();
    const answers: Told[] = [];
    const once = async (): Promise<void> => {
      this.#volume.sendings++;
      try {
        answers.push(await send(pick(this.#rng, this.#members), requestId));
      } catch (error) {
        if (!(error instanceof QuorateError)) throw error;
        if (!passing.has(error.code)) throw error;
        if (error.outcome === 'unknown') this.#volume.unknown++;
        await sleep(between(this.#rng, 10, 100));
      }
    };
    for (let sendings = between(this.#rng, 1, maxSendings); sendings > 0 || answers.length === 0; sendings--) {
      await (isLucky(this.#rng, 0.3) ? Promise.all([once(), once()]) : once());
    }
    const [first] = answers;
    if (first === undefined) throw new Error('a change was answered');
    for (const { what, replayed } of answers) {
      if (replayed === true) this.#volume.replays++;
      if (what !== first.what) throw new Error(`${this.name} was told ${first.what}, then ${what}`);
    }
    const originals = answers.filter(({ replayed }) => replayed === false).length;
    if (originals > 1) throw new Error(`${this.name} was told ${first.what} anew ${String(originals)} times`);
    return first;
  }
}

/** Errors that a repetition may turn into an answer. */
const passing: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  ...(['no-leader', 'no-quorum', 'outcome-unknown', 'superseded', 'deadline-exceeded'] as const),
  ...(['overloaded', 'stopping', 'unreachable'] as const),
]);

/** What is wrong between what clients are owed and what a member holds; empty when all is well. */
export function debts(clients: readonly StormClient[], held: Held): readonly string[] {
  const found: string[] = [];
  const values = new Map(held.contents.map((record) => [record.key, record]));
  const leases = new Set(held.leases);
  let expected = 0;
  for (const { name, ledger } of clients) {
    const counter = values.get(`${name}/counter`);
    const isExact = Number(counter?.value ?? 0) === ledger.counter && (counter?.version ?? 0) === ledger.counter;
    if (!isExact) found.push(`${name} counted ${String(ledger.counter)}, ${String(counter?.value)} is held`);
    for (const key of ledger.appended) {
      if (values.get(key)?.version !== 1) found.push(`${key} was written ${String(values.get(key)?.version)} times`);
    }
    for (const key of ledger.deleted) if (values.has(key)) found.push(`${key} is back`);
    for (const id of ledger.leases) if (!leases.has(id)) found.push(`lease ${String(id)} of ${name} is gone`);
    expected += ledger.leases.length;
  }
  if (leases.size !== expected) found.push(`${String(leases.size)} leases are held, ${String(expected)} were granted`);
  return found;
}

/** All that a member holds. */
export interface Held {
  readonly contents: readonly KeyValue[];
  readonly leases: readonly bigint[];
}
