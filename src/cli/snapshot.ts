/** `quorate snapshot`: copies of the database, and clusters made from them. */
import type { Command } from 'commander';
import { registerInspect } from './snapshot/inspect';
import { registerRestore } from './snapshot/restore';
import { registerSave } from './snapshot/save';
import { exitWithUsage } from './usage';

export function registerSnapshotCommand(program: Command): void {
  const group = exitWithUsage(program.command('snapshot')).description(
    'Copies of the database, and clusters made from them.',
  );
  registerSave(group);
  registerInspect(group);
  registerRestore(group);
}
