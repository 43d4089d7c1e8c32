/** How much there is to do for a command, before it is done. */
import { unreachable } from '../base/assert';
import type { KeyRange, Operation, PlainCommand } from './command';
import type { EntryCommands } from './command-codec';
import { newest, type KeyRecords } from './key-records';
import { isSingleKey } from './key-range';
import type { LeaseTable } from './lease-table';

/** What the commands would be done on. */
export interface ExtentContext {
  readonly records: KeyRecords;
  readonly leases: LeaseTable;
}

/** True if the commands of an entry touch more keys than `most`, on the state as it is. Counts no further than that. */
export function touchesMoreThan(most: number, commands: EntryCommands, context: ExtentContext): boolean {
  const counter = new KeyCounter(most, context);
  if ('requestId' in commands) return counter.add(commands.command);
  return commands.some(({ command }) => counter.add(command));
}

class KeyCounter {
  readonly #context: ExtentContext;
  #left: number;

  constructor(most: number, context: ExtentContext) {
    this.#context = context;
    this.#left = most;
  }

  /** Counts the keys that are written, deleted, read or compared; true once they are too many. */
  add(command: PlainCommand | Operation): boolean {
    switch (command.kind) {
      case 'put':
        this.#left -= 1;
        break;
      case 'delete':
      case 'range':
        this.#addRange(command.range);
        break;
      case 'txn':
        // Of its two lists one is done: which one, it is too early to say.
        for (const { range } of command.compares) this.#addRange(range);
        for (const operation of command.success) this.add(operation);
        for (const operation of command.failure) this.add(operation);
        break;
      case 'lease-revoke':
        this.#left -= this.#context.leases.keyCount(command.id);
        break;
      case 'lease-expire':
        for (const { id } of command.leases) this.#left -= this.#context.leases.keyCount(id);
        break;
      case 'lease-grant':
      case 'lease-renew':
      case 'compact':
      case 'advance-clock':
      case 'alarm':
      case 'configure':
        break;
      default:
        return unreachable(command);
    }
    return this.#left < 0;
  }

  #addRange(range: KeyRange): void {
    if (isSingleKey(range)) {
      this.#left -= 1;
      return;
    }
    if (this.#left < 0) return;
    this.#context.records.visit(range, newest, () => {
      this.#left -= 1;
      return this.#left < 0 ? 'stop' : 'next';
    });
  }
}
