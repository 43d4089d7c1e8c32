/** What a state database holds after a power cut: the state as it was at some entry, made from the log again. */
import { openKvStateMachine, type KvStateMachine } from '../../kv/state-machine';
import { commandOf } from '../../node/proposal-codec';
import type { Entry } from '../../raft';
import type { SimDisk } from './disk';

/** Opens an empty store and applies entries 1 to `appliedIndex`. */
export function rebuildMachine(disk: SimDisk, appliedIndex: number): KvStateMachine {
  const machine = openKvStateMachine({ path: ':memory:', clusterId: 1n });
  const entries: Entry[] = [];
  for (let index = 1; index <= appliedIndex; index++) {
    const entry = disk.entryAt(index);
    if (entry === undefined) throw new Error('what was applied is in the log');
    entries.push(entry.kind === 'command' ? { ...entry, payload: commandOf(entry.payload) } : entry);
  }
  machine.apply(entries);
  return machine;
}
