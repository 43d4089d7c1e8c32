/** `quorate snapshot save`: a consistent copy of one member's database, in a file that is complete or not there. */
import type { Command } from 'commander';
import { addClientOptions, runVerb, type ClientCommandOptions } from '../client-command';
import { exitCode } from '../exit-code';
import { bytesForPeople, toJson } from '../format';
import { progressOn } from '../progress';
import { refuseExisting, saveTo } from './complete-file';

interface SaveOptions extends ClientCommandOptions {
  readonly force?: boolean;
}

export function registerSave(group: Command): void {
  const command = group
    .command('save')
    .description("Save a consistent copy of one member's database, taken without stopping writes: a SQLite file.")
    .argument('<file>', 'where to; written under FILE.partial until it is complete and checked')
    .option('--force', 'replace FILE if it exists');
  const timeout = { meaning: 'longest time without a byte, also while the copy is made', defaultMs: 60_000 };
  addClientOptions(command, timeout).action(async (file: string, options: SaveOptions) => {
    await runVerb(options, async ({ client, json, write }) => {
      const { force = false } = options;
      if (!force) await refuseExisting(file);
      const download = await client.maintenance.snapshot({ maxSilenceMs: options.timeout });
      const { clusterId, appliedIndex, sizeBytes, sha256 } = download;
      const progress = progressOn(process.stderr);
      const onProgress = (savedBytes: number) => {
        progress.show(savedBytes / sizeBytes, `${bytesForPeople(savedBytes)} of ${bytesForPeople(sizeBytes)}`);
      };
      await saveTo(file, download, { force, onProgress }).finally(() => {
        progress.end();
      });
      const sentence = `Saved ${file}: ${bytesForPeople(sizeBytes)}, log index ${String(appliedIndex)}, SHA-256 ${sha256}`;
      await write(json ? `${toJson({ file, clusterId, appliedIndex, sizeBytes, sha256 })}\n` : `${sentence}\n`);
      return exitCode.ok;
    });
  });
}
