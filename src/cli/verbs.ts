/** The verbs, in the order in which help lists them. Each is a file, which is loaded when it is wanted. */
import type { Command } from 'commander';

/** Adds a verb to the program. */
type Register = (program: Command) => void;

const verbs: readonly (readonly [name: string, load: () => Promise<Register>])[] = [
  ['serve', async () => (await import('./serve.js')).registerServeCommand],
  ['dev', async () => (await import('./dev.js')).registerDevCommand],
  ['put', async () => (await import('./put.js')).registerPutCommand],
  ['get', async () => (await import('./get.js')).registerGetCommand],
  ['del', async () => (await import('./del.js')).registerDelCommand],
  ['list', async () => (await import('./list.js')).registerListCommand],
  ['txn', async () => (await import('./txn.js')).registerTxnCommand],
  ['watch', async () => (await import('./watch.js')).registerWatchCommand],
  ['history', async () => (await import('./history.js')).registerHistoryCommand],
  ['lease', async () => (await import('./lease.js')).registerLeaseCommand],
  ['lock', async () => (await import('./lock.js')).registerLockCommand],
  ['elect', async () => (await import('./elect.js')).registerElectCommand],
  ['import', async () => (await import('./import.js')).registerImportCommand],
  ['export', async () => (await import('./export.js')).registerExportCommand],
  ['status', async () => (await import('./status.js')).registerStatusCommand],
  ['member', async () => (await import('./member.js')).registerMemberCommand],
  ['transfer-leader', async () => (await import('./transfer-leader.js')).registerTransferLeaderCommand],
  ['snapshot', async () => (await import('./snapshot.js')).registerSnapshotCommand],
  ['compact', async () => (await import('./compact.js')).registerCompactCommand],
  ['alarm', async () => (await import('./alarm.js')).registerAlarmCommand],
  ['settings', async () => (await import('./settings.js')).registerSettingsCommand],
];

/** This one needs all others. */
const completion = async (): Promise<Register> => (await import('./completion.js')).registerCompletionCommand;

/**
 * Adds the verb that `word`, the first of the command line, names; all of them if it names none, for help and for
 * errors. Loading all takes 60 ms more than loading `serve` alone.
 */
export async function registerVerbs(program: Command, word: string | undefined): Promise<void> {
  const wanted = verbs.find(([name]) => name === word);
  const loads = wanted === undefined ? [...verbs.map(([, load]) => load), completion] : [wanted[1]];
  for (const load of loads) (await load())(program);
}
