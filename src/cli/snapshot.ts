/** `quorate snapshot save`: a consistent copy of one member's database, in a file that is complete or not there. */
import type { Command } from 'commander';
import { addClientOptions, exitWithUsage, runVerb, type ClientCommandOptions } from './client-command';
import { exitCode } from './exit-code';
import { bytesForPeople, toJson } from './format';
import { refuseExisting, saveTo } from './snapshot/save';

interface SaveOptions extends ClientCommandOptions {
  readonly force?: boolean;
}

/** How often progress is shown on a terminal, milliseconds. */
const progressIntervalMs = 100;

export function registerSnapshotCommand(program: Command): void {
  const group = exitWithUsage(program.command('snapshot')).description('Copies of the database.');
  const command = group
    .command('save')
    .description("Save a consistent copy of one member's database, taken without stopping writes: a SQLite file.")
    .argument('<file>', 'where to; written under FILE.partial until it is complete and checked')
    .option('--force', 'replace FILE if it exists');
  const timeout = { meaning: 'longest time without a byte, also while the copy is made', defaultMs: 60_000 };
  addClientOptions(command, timeout).action(async (file: string, options: SaveOptions) => {
    await runVerb(options, async ({ client, json, write }) => {
      if (options.force !== true) await refuseExisting(file);
      const download = await client.maintenance.snapshot({ maxSilenceMs: options.timeout });
      const { clusterId, appliedIndex, sizeBytes, sha256 } = download;
      const onProgress = process.stderr.isTTY ? progressLine(sizeBytes) : () => undefined;
      await saveTo(file, download, { force: options.force === true, onProgress });
      const sentence = `Saved ${file}: ${bytesForPeople(sizeBytes)}, log index ${String(appliedIndex)}, SHA-256 ${sha256}`;
      await write(json ? `${toJson({ file, clusterId, appliedIndex, sizeBytes, sha256 })}\n` : `${sentence}\n`);
      return exitCode.ok;
    });
  });
}

/** Shows progress on one line of the terminal, which is empty again at the end. */
function progressLine(sizeBytes: number): (savedBytes: number) => void {
  let shownAt = -Infinity;
  return (savedBytes) => {
    const now = performance.now();
    const isLast = savedBytes === sizeBytes;
    if (!isLast && now - shownAt < progressIntervalMs) return;
    shownAt = now;
    const percent = Math.floor((100 * savedBytes) / Math.max(1, sizeBytes));
    const line = `${bytesForPeople(savedBytes)} of ${bytesForPeople(sizeBytes)}, ${String(percent)} %`;
    process.stderr.write(isLast ? '\r\x1b[K' : `\r\x1b[K${line}`);
  };
}
