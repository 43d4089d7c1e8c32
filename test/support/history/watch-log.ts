/** Watches of everything, as long as a history lasts: what they were told, and when. */
import { Event_EventType, type Event } from '../../../src/gen/etcd/mvccpb/kv';
import type { KeyEvent, QuorateClient } from '../../../src/client';
import type { KeyRecord } from '../../../src/kv/result';
import { EtcdWatchStream } from '../etcd-watch';
import { eventually } from '../process-cluster';
import { toRecord } from './native-surface';

/** A change as a watch tells it. */
export interface WatchedEvent {
  readonly revision: number;
  readonly kind: 'put' | 'delete';
  readonly record: KeyRecord;
  /** When it came, by the clock of the calls. */
  readonly at: number;
}

/** One watch, resumed whenever its member is gone. */
export interface WatchLog {
  readonly name: string;
  readonly events: readonly WatchedEvent[];
  /** The newest revision of which it was told everything. */
  revision(): number;
  /** How often it began anew after a broken stream, where this program does that itself. */
  resumed(): number;
  stop(): void;
}

/** A watch of the native client, which goes on by itself. */
export async function nativeWatch(name: string, client: QuorateClient): Promise<WatchLog> {
  const events: WatchedEvent[] = [];
  let revision = 0;
  let failure: unknown;
  const watch = await client.watch({ kind: 'all' }, { startRevision: 1, progressIntervalMs: 1000, timeoutMs: 20_000 });
  const reading = async (): Promise<void> => {
    for await (const message of watch) {
      if (message.kind === 'events') events.push(...message.events.map(watchedEvent));
      if (message.kind !== 'events' || !message.isPartial) revision = message.revision;
    }
  };
  reading().catch((error: unknown) => (failure = error));
  return {
    ...{ name, events, resumed: () => 0, stop: () => watch.cancel() },
    revision: () => {
      if (failure !== undefined) throw new Error(`${name} failed at ${String(revision)}`, { cause: failure });
      return revision;
    },
  };
}

function watchedEvent({ type, kv }: KeyEvent): WatchedEvent {
  return { revision: kv.modRevision, kind: type, record: toRecord(kv), at: performance.now() };
}

/** A watch of etcd's API, which this program begins anew just after the last revision it was told of. */
export function etcdWatch(name: string, address: string): WatchLog {
  const events: WatchedEvent[] = [];
  const state = { revision: 0, resumed: -1, isStopped: false, stream: undefined as EtcdWatchStream | undefined };
  const follow = async (stream: EtcdWatchStream): Promise<void> => {
    stream.create({ startRevision: BigInt(state.revision + 1) });
    for (let response = await stream.next(); response !== undefined; response = await stream.next()) {
      if (response.canceled) throw new Error(`${name} was cancelled: ${response.cancelReason}`);
      events.push(...response.events.map(fromEtcd));
      state.revision = Math.max(state.revision, Number(response.events.at(-1)?.kv?.modRevision ?? 0));
    }
  };
  const run = async (): Promise<void> => {
    while (!state.isStopped) {
      state.resumed++;
      state.stream = new EtcdWatchStream(address);
      await follow(state.stream);
      state.stream.close();
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  };
  let failure: unknown;
  run().catch((error: unknown) => (failure = error));
  return {
    ...{ name, events, resumed: () => state.resumed },
    revision: () => {
      if (failure !== undefined) throw new Error(`${name} failed at ${String(state.revision)}`, { cause: failure });
      return state.revision;
    },
    stop: () => {
      state.isStopped = true;
      state.stream?.close();
    },
  };
}

function fromEtcd({ type, kv }: Event): WatchedEvent {
  if (kv === undefined) throw new Error('an event has a key');
  const { key, value, createRevision, modRevision, version, lease } = kv;
  const revisions = { createRevision: Number(createRevision), modRevision: Number(modRevision) };
  const record: KeyRecord = { key, value, form: 'bytes', ...revisions, version: Number(version), lease };
  const kind = type === Event_EventType.DELETE ? 'delete' : 'put';
  return { revision: revisions.modRevision, kind, record, at: performance.now() };
}

/** Waits until a watch was told everything up to a revision. */
export async function toldUpTo(log: WatchLog, revision: number): Promise<void> {
  await eventually(60_000, `${log.name} to be told of revision ${String(revision)}`, () =>
    Promise.resolve(log.revision() >= revision ? true : undefined),
  );
}
