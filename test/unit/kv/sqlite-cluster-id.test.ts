/** Giving the state to another cluster. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { encodeCommand } from '../../../src/kv/command-codec';
import { moveStateToCluster, readStateCluster } from '../../../src/kv/sqlite-cluster-id';
import { openKvStateMachine } from '../../../src/kv/state-machine';
import { put } from '../../support/kv-entries';

let directory: string;
let path: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'quorate-state-'));
  path = join(directory, 'state.db');
});
afterEach(() => {
  rmSync(directory, { recursive: true });
});

const open = (clusterId: bigint) => openKvStateMachine({ path, clusterId, logStart: { index: 0, term: 0 } });

describe('the cluster of a state database', () => {
  it('is changed with nothing else, and the old one is refused from then on', async () => {
    const before = open(9n);
    const payload = encodeCommand(put('a', '1'));
    before.apply([{ index: 1, term: 1, kind: 'command', payload }]);
    const hash = before.hash();
    await before.close();
    moveStateToCluster(path, 2n ** 64n - 1n);
    expect(readStateCluster(path)).toBe(2n ** 64n - 1n);
    expect(() => open(9n)).toThrow(/belongs to cluster ffffffffffffffff/);
    const after = open(2n ** 64n - 1n);
    expect(after.appliedIndex).toBe(1);
    expect(after.hash()).toBe(hash);
    await after.close();
  });

  it('is nobody where there is no file, and none is made', () => {
    moveStateToCluster(path, 9n);
    expect(readStateCluster(path)).toBeUndefined();
  });

  it('is not changed over damaged counters: a new checksum would hide the damage', async () => {
    await open(9n).close();
    const database = new Database(path);
    database.prepare('UPDATE meta SET revision = revision + 1').run();
    database.close();
    expect(() => {
      moveStateToCluster(path, 8n);
    }).toThrow(expect.objectContaining({ code: 'damaged' }) as Error);
  });
});
