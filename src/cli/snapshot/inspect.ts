/** `quorate snapshot inspect`: what a snapshot file holds. Opens it read-only and changes nothing. */
import type { Command } from 'commander';
import { inspectState, type InspectedState } from '../../kv/sqlite-inspect';
import { addOutputOption } from '../client-command';
import { exitCode } from '../exit-code';
import { bytesForPeople, toJson } from '../format';
import { runOffline, type OfflineOptions } from '../offline-command';
import { openSnapshotFile, sha256Of } from './snapshot-file';
import { exitWithUsage } from '../usage';

export function registerInspect(group: Command): void {
  const command = exitWithUsage(group.command('inspect'))
    .description('Show what a snapshot file holds, and its SHA-256. Opens it read-only and changes nothing.')
    .argument('<file>', 'a file saved by `quorate snapshot save` or `etcdctl snapshot save`');
  addOutputOption(command).action(async (path: string, options: OfflineOptions) => {
    await runOffline(options, async (json) => {
      const file = await openSnapshotFile(path);
      const sha256 = await sha256Of(file);
      const state = inspectState(path);
      const facts = { file: path, sizeBytes: file.sizeBytes, sha256, ...state };
      process.stdout.write(json ? `${toJson(facts)}\n` : `${factLines(facts).join('\n')}\n`);
      return exitCode.ok;
    });
  });
}

function factLines(facts: InspectedState & { file: string; sizeBytes: number; sha256: string }): readonly string[] {
  const { file, sizeBytes, sha256, schemaVersion, contents } = facts;
  const lines = [
    `${file}: ${bytesForPeople(sizeBytes)}, SHA-256 ${sha256}`,
    `schema version  ${String(schemaVersion)}`,
  ];
  if (contents === undefined) return [...lines, 'An older schema: `snapshot restore` brings it forward.'];
  const { clusterId, appliedIndex, appliedTerm, revision, compactRevision, keys, versions } = contents;
  return [
    ...lines,
    `cluster id      ${String(clusterId)}`,
    `log position    index ${String(appliedIndex)}, term ${String(appliedTerm)}`,
    `revision        ${String(revision)}${compactRevision === 0 ? '' : `, compacted before ${String(compactRevision)}`}`,
    `keys            ${String(keys)}, in ${String(versions)} versions`,
    `leases          ${String(contents.leases)}`,
    `requests        ${String(contents.requests)} remembered`,
    `alarms          ${String(contents.alarms)}`,
  ];
}
