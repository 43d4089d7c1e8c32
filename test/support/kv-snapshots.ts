/** Key-value state machines on media that outlive them, and what moves snapshots between them. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MemoryStateDisk } from '../../src/kv/memory-medium';
import { openKvStateMachine, type KvStateMachine } from '../../src/kv/state-machine';
import type { LogPosition, Snapshot, SnapshotOffer, SnapshotReceiver } from '../../src/raft';
import { entries, put } from './kv-entries';

export const clusterId = 0xfedcba9876543210n;
export const nothing: LogPosition = { index: 0, term: 0 };

/** A place for one state, on which machines are opened one after the other. */
export interface StatePlace {
  open(logStart?: LogPosition, cluster?: bigint): KvStateMachine;
}

export interface PlaceKind {
  readonly name: string;
  readonly make: () => StatePlace;
  readonly cleanUp: () => void;
}

export function placeKinds(): readonly PlaceKind[] {
  const directories: string[] = [];
  return [
    {
      name: 'memory',
      make: () => {
        const disk = new MemoryStateDisk();
        return {
          open: (logStart = nothing, cluster = clusterId) =>
            openKvStateMachine({ path: ':memory:', clusterId: cluster, logStart, disk }),
        };
      },
      cleanUp: () => undefined,
    },
    {
      name: 'file',
      make: () => filePlace(directories),
      cleanUp: () => {
        for (const directory of directories.splice(0)) rmSync(directory, { recursive: true, force: true });
      },
    },
  ];
}

/** A directory with a state.db, and what tests do to it. */
export interface FilePlace extends StatePlace {
  readonly directory: string;
  readonly path: string;
}

export function filePlace(directories: string[]): FilePlace {
  const directory = mkdtempSync(join(tmpdir(), 'quorate-state-'));
  directories.push(directory);
  const path = join(directory, 'state.db');
  return {
    directory,
    path,
    open: (logStart = nothing, cluster = clusterId) =>
      openKvStateMachine({ path, clusterId: cluster, logStart, commitDelayMs: 0 }),
  };
}

/** The state a replay of the first `count` entries gives: puts over few keys, so that keys have histories. */
export function replay(machine: KvStateMachine, count: number): KvStateMachine {
  const from = machine.appliedIndex + 1;
  const commands = Array.from({ length: count - from + 1 }, (_, offset) =>
    put(`key ${String((from + offset) % 37)}`, `value ${String(from + offset)} `.repeat(((from + offset) % 9) + 1)),
  );
  machine.apply(entries(from, commands));
  return machine;
}

export async function bytesOf(snapshot: Snapshot, chunkBytes = 1 << 16): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for (let offset = 0; offset < snapshot.sizeBytes; offset += chunkBytes) {
    parts.push(await snapshot.read(offset, chunkBytes));
  }
  return Buffer.concat(parts);
}

/** Takes in a whole snapshot; the receiver has finished. */
export async function takeIn(machine: KvStateMachine, snapshot: Snapshot): Promise<SnapshotReceiver> {
  const { last, sizeBytes, sha256 } = snapshot;
  return takeInBytes(machine, { last, sizeBytes, sha256 }, [await bytesOf(snapshot)]);
}

export async function takeInBytes(
  machine: KvStateMachine,
  offer: SnapshotOffer,
  chunks: readonly Uint8Array[],
): Promise<SnapshotReceiver> {
  const receiver = await machine.receiveSnapshot(offer);
  for (const chunk of chunks) await receiver.write(chunk);
  await receiver.finish();
  return receiver;
}
