/** Feeds both servers the same steps and finds the first difference between what they answer. */
import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { DeleteRangeRequest, PutRequest, type RequestOp, TxnRequest } from '../../../src/gen/etcd/etcdserverpb/kv';
import { normalised, patienceMsWith } from './differences';
import { lineOf, type Outcome, request, type Step, textOf } from './step';
import type { Target } from './target';
import type { WatchStream } from './watch-stream';

export type Pair<T> = readonly [T, T];

/** The two servers did not do the same. */
class Disagreement extends Error {
  constructor(step: Step, names: Pair<string>, outcomes: Pair<unknown>) {
    const { path, values } = firstDifference(outcomes);
    const shown = names.map((name, at) => `  ${name}: ${textOf(values[at]).slice(0, mostShown)}`);
    super([`${lineOf(step)}, ${path === '' ? 'all' : path}`, ...shown].join('\n'));
  }
}

/** Characters of each side of a difference that are shown. */
const mostShown = 1500;

/** Goes as deep as the two are of the same shape. */
function firstDifference([one, other]: Pair<unknown>, path = ''): { path: string; values: Pair<unknown> } {
  const isLeaf = (value: unknown): boolean =>
    typeof value !== 'object' || value === null || value instanceof Uint8Array;
  if (isLeaf(one) || isLeaf(other)) return { path, values: [one, other] };
  const [fields, others] = [one as Record<string, unknown>, other as Record<string, unknown>];
  const names = Object.keys(fields);
  const name = names.find((each) => !isDeepStrictEqual(fields[each], others[each]));
  if (name === undefined || names.length !== Object.keys(others).length) return { path, values: [one, other] };
  return firstDifference([fields[name], others[name]], `${path}.${name}`);
}

type CloseStep = Step & { readonly kind: 'close' };

/** A watch stream to each server. */
interface Session {
  readonly opened: Step;
  readonly streams: Pair<WatchStream>;
}

/** What was compared. */
export interface Volume {
  calls: number;
  errors: number;
  sessions: number;
  watches: number;
  events: number;
}

/** One pair of servers, from their first step on. */
export class Comparison {
  readonly volume: Volume = { calls: 0, errors: 0, sessions: 0, watches: 0, events: 0 };
  readonly #targets: Pair<Target>;
  readonly #sessions = new Map<number, Session>();

  constructor(targets: Pair<Target>) {
    this.#targets = targets;
  }

  /** @throws Disagreement */
  async run(step: Step): Promise<Outcome> {
    switch (step.kind) {
      case 'call':
        return this.#compare(step, (target) => target.call(step));
      case 'keep-alive':
        return this.#compare(step, (target) => target.keepAlive(step.id));
      case 'open': {
        const streams = await this.#both((target) => target.open(step.creates));
        this.#sessions.set(step.session, { opened: step, streams });
        return { reply: undefined };
      }
      case 'close':
        await this.#close(step);
        return { reply: undefined };
    }
  }

  async #both<T>(ask: (target: Target) => Promise<T>): Promise<Pair<T>> {
    const [one, other] = this.#targets;
    return Promise.all([ask(one), ask(other)]);
  }

  async #compare(step: Step, ask: (target: Target) => Promise<Outcome>): Promise<Outcome> {
    const giveUpAt = performance.now() + patienceMsWith(step);
    for (;;) {
      const [one, other] = await this.#both(ask);
      const outcomes = [normalised(one, step), normalised(other, step)] as const;
      if (performance.now() >= giveUpAt) this.#mustBeEqual(step, outcomes);
      else if (!isDeepStrictEqual(...outcomes)) {
        await sleep(50);
        continue;
      }
      this.volume.calls++;
      if (!('reply' in one)) this.volume.errors++;
      return one;
    }
  }

  #mustBeEqual(step: Step, [one, other]: Pair<unknown>): void {
    if (isDeepStrictEqual(one, other)) return;
    throw new Disagreement(step, [this.#targets[0].name, this.#targets[1].name], [one, other]);
  }

  /** A session that a shrunken run never opened has nothing to close. */
  async #close(step: CloseStep): Promise<void> {
    const session = this.#sessions.get(step.session);
    if (session === undefined) return;
    this.#sessions.delete(step.session);
    const { opened, streams } = session;
    await this.#finish(step, streams).catch((error: unknown) => {
      throw new Error(`${lineOf(opened)}\n${String(error)}`, { cause: error });
    });
    this.#count(streams);
  }

  /** Brings the watches up to date, and compares everything they were told. */
  async #finish(step: CloseStep, streams: Pair<WatchStream>): Promise<void> {
    const [one] = streams;
    const last = await this.#mark(one);
    await Promise.all(streams.map((stream) => stream.caughtUp(last)));
    const progress = one.live.length > 0 ? await Promise.all(streams.map((stream) => stream.progress())) : [];
    const answers = step.way === 'cancel' ? await Promise.all(streams.map((stream) => stream.cancelAll())) : [];
    for (const stream of streams) stream.leave();
    const told = streams.map((stream, at) => {
      const all = { accounts: stream.accounts(), progress: progress[at], answers: answers[at] };
      return normalised({ reply: { ...all, violations: stream.violations } }, step);
    });
    this.#mustBeEqual(step, [told[0], told[1]]);
    // Equally wrong is wrong, too.
    if (one.violations.length > 0) throw new Disagreement(step, ['both', 'rule'], [one.violations, 'none']);
  }

  #count([one]: Pair<WatchStream>): void {
    this.volume.sessions++;
    this.volume.watches += one.watchCount;
    this.volume.events += one.eventCount;
  }

  /** A put and a delete that every live watch of a stream is told of, at or after its start revision. */
  async #mark({ live }: WatchStream): Promise<{ readonly put: bigint; readonly delete: bigint }> {
    const starts = live.map(({ startRevision }) => startRevision);
    const needed = starts.reduce((latest, start) => (start > latest ? start : latest), 0n);
    const keys = [...new Set(live.map(({ key }) => (key.length === 0 ? '\x00' : key.toString('latin1'))))];
    const all = keys.map((key) => Buffer.from(key, 'latin1'));
    for (;;) {
      const put = await this.#txn(all.map((key) => putOf(key)));
      const deleted = await this.#txn(all.map((key) => deleteOf(key)));
      if (put >= needed || keys.length === 0) return { put, delete: deleted };
    }
  }

  /** @returns the revision it made */
  async #txn(success: RequestOp[]): Promise<bigint> {
    const outcome = await this.run({ kind: 'call', method: 'txn', request: request(TxnRequest, { success }) });
    if (!('reply' in outcome)) throw new Error(`the marking transaction failed: ${outcome.message}`);
    return (outcome.reply as { readonly header: { readonly revision: bigint } }).header.revision;
  }
}

function putOf(key: Buffer): RequestOp {
  return { request: { $case: 'requestPut', value: request(PutRequest, { key, value: Buffer.from('mark') }) } };
}

function deleteOf(key: Buffer): RequestOp {
  return { request: { $case: 'requestDeleteRange', value: request(DeleteRangeRequest, { key }) } };
}
