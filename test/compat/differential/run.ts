/** Feeds both servers the same steps and finds the first difference between what they answer. */
import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { DeleteRangeRequest, PutRequest, type RequestOp, TxnRequest } from '../../../src/gen/etcd/etcdserverpb/kv';
import { LeaseTimeToLiveRequest } from '../../../src/gen/etcd/etcdserverpb/lease';
import { normalised, patienceMsWith } from './differences';
import { lineOf, type Outcome, request, type Step, textOf } from './step';
import type { Target } from './target';
import { countStep, countStream, noVolume, type Volume } from './volume';
import { isWaiting, type WatchStream } from './watch-stream';

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

type StreamStep = Step & { readonly kind: 'close' | 'progress' };
type CloseStep = Step & { readonly kind: 'close' };
type RunOutStep = Step & { readonly kind: 'run-out' };

/** A lease of few seconds is gone after so long, ms, or never. */
const longestRunOutMs = 30_000;

/** A watch stream to each server. */
interface Session {
  readonly opened: Step;
  readonly streams: Pair<WatchStream>;
}

/** One pair of servers, from their first step on. */
export class Comparison {
  readonly volume: Volume = noVolume();
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
      case 'run-out':
        return this.#runOut(step);
      case 'progress':
        await this.#progress(step);
        return { reply: undefined };
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
      const outcomes = this.#normalised([one, other], step);
      if (performance.now() >= giveUpAt) this.#mustBeEqual(step, outcomes);
      else if (!isDeepStrictEqual(...outcomes)) {
        await sleep(50);
        continue;
      }
      countStep(this.volume, step, one);
      return one;
    }
  }

  #mustBeEqual(step: Step, [one, other]: Pair<unknown>): void {
    if (isDeepStrictEqual(one, other)) return;
    throw new Disagreement(step, [this.#targets[0].name, this.#targets[1].name], [one, other]);
  }

  #normalised([one, other]: Pair<Outcome>, step: Step): Pair<Outcome> {
    const [{ name }, { name: otherName }] = this.#targets;
    return [normalised(one, step, name), normalised(other, step, otherName)];
  }

  /** The outcome is what is told of the lease at the end. */
  async #runOut(step: RunOutStep): Promise<Outcome> {
    for (const call of step.calls) await this.run(call);
    const outcome = await this.#compare(step, (target) => goneAt(target, step.lease));
    const isGone = 'reply' in outcome && (outcome.reply as { readonly TTL: bigint }).TTL === -1n;
    if (!isGone) throw new Disagreement(step, ['both', 'wanted'], [outcome, 'a lease that has run out']);
    this.volume.runOuts++;
    return outcome;
  }

  async #progress(step: StreamStep): Promise<void> {
    const session = this.#sessions.get(step.session);
    if (session === undefined) return;
    const { opened, streams } = session;
    await this.#upToDate(step, streams).catch((error: unknown) => {
      throw new Error(`${lineOf(opened)}\n${String(error)}`, { cause: error });
    });
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
    countStream(this.volume, streams[0]);
  }

  async #finish(step: CloseStep, streams: Pair<WatchStream>): Promise<void> {
    await this.#upToDate(step, streams);
    if (step.way === 'cancel') {
      const cancel = async (stream: WatchStream): Promise<Outcome> => ({ reply: await stream.cancelAll() });
      const [one, other] = streams;
      this.#mustBeEqual(step, this.#normalised([await cancel(one), await cancel(other)], step));
    }
    for (const stream of streams) stream.leave();
  }

  /** Brings the watches up to date, and compares everything they were told. */
  async #upToDate(step: StreamStep, streams: Pair<WatchStream>): Promise<void> {
    const [one, other] = streams;
    const last = await this.#mark(one);
    await Promise.all(streams.map((stream) => stream.caughtUp(last)));
    const { tellsProgress } = one;
    const told = async (stream: WatchStream): Promise<Outcome> => {
      const progress = tellsProgress ? await stream.progress() : undefined;
      return { reply: { accounts: stream.accounts(), progress, violations: stream.violations } };
    };
    this.#mustBeEqual(step, this.#normalised([await told(one), await told(other)], step));
    // Equally wrong is wrong, too.
    if (one.violations.length > 0) throw new Disagreement(step, ['both', 'rule'], [one.violations, 'none']);
    if (tellsProgress) this.volume.progress++;
  }

  /** A put and a delete that every live watch of a stream is told of, at or after its start revision. */
  async #mark({ live }: WatchStream): Promise<{ readonly put: bigint; readonly delete: bigint }> {
    const starts = live.filter((it) => !isWaiting(it)).map(({ startRevision }) => startRevision);
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

/** Asks until the lease is not there. */
async function goneAt(target: Target, ID: bigint): Promise<Outcome> {
  const giveUpAt = performance.now() + longestRunOutMs;
  const question = request(LeaseTimeToLiveRequest, { ID, keys: true });
  for (;;) {
    const outcome = await target.call({ kind: 'call', method: 'leaseTimeToLive', request: question });
    const isThere = 'reply' in outcome && (outcome.reply as { readonly TTL: bigint }).TTL >= 0n;
    if (!isThere || performance.now() > giveUpAt) return outcome;
    await sleep(100);
  }
}

function putOf(key: Buffer): RequestOp {
  return { request: { $case: 'requestPut', value: request(PutRequest, { key, value: Buffer.from('mark') }) } };
}

function deleteOf(key: Buffer): RequestOp {
  return { request: { $case: 'requestDeleteRange', value: request(DeleteRangeRequest, { key }) } };
}
