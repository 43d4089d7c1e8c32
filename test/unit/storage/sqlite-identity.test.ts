/** Whose log a directory holds, and giving it to another cluster. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger } from '../../../src/base/logger';
import { simpleConfiguration } from '../../../src/raft';
import { moveLogToCluster, readIdentity } from '../../../src/storage/sqlite-identity';
import { openSqliteStorage } from '../../../src/storage/sqlite-storage';

const identity = { clusterId: 2n ** 64n - 1n, memberId: 5n };
let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'quorate-identity-'));
});
afterEach(() => {
  rmSync(directory, { recursive: true });
});

const open = (of = identity) =>
  openSqliteStorage({
    directory,
    identity: of,
    initialConfiguration: { configuration: simpleConfiguration([5n]), context: new Uint8Array() },
    maxTailBytes: 1024,
    logger: silentLogger,
  });

async function withEntry(): Promise<void> {
  const storage = await open();
  const entry = { index: 1, term: 3, kind: 'command' as const, payload: Buffer.from('kept') };
  await storage.persist({
    sequence: 1,
    hardState: { term: 3, votedFor: 5n },
    snapshot: undefined,
    entries: [entry],
  });
  await storage.close();
}

describe('the identity of a directory', () => {
  it('is nobody before its first use, and its member afterwards, also while it is in use', async () => {
    expect(readIdentity(directory)).toBeUndefined();
    expect(readIdentity(join(directory, 'none'))).toBeUndefined();
    const storage = await open();
    expect(readIdentity(directory)).toEqual(identity);
    await storage.close();
    expect(readIdentity(directory)).toEqual(identity);
  });

  it('is not guessed: remains of a lost log and other files are refused', () => {
    mkdirSync(join(directory, 'a'));
    writeFileSync(join(directory, 'a', 'state.db'), '');
    expect(() => readIdentity(join(directory, 'a'))).toThrow(/was used before/);
    writeFileSync(join(directory, 'raft.db'), 'no database at all, but long enough to have a header of SQLite');
    expect(() => readIdentity(directory)).toThrow(expect.objectContaining({ code: 'damaged' }) as Error);
  });
});

describe('giving a log to another cluster', () => {
  it('keeps entries, term and vote, and refuses the old cluster from then on', async () => {
    await withEntry();
    moveLogToCluster(directory, identity, 77n);
    expect(readIdentity(directory)).toEqual({ clusterId: 77n, memberId: 5n });
    await expect(open()).rejects.toMatchObject({ code: 'refused-to-start' });
    const storage = await open({ clusterId: 77n, memberId: 5n });
    expect(storage.loaded).toMatchObject({ lastIndex: 1, hardState: { term: 3, votedFor: 5n } });
    const [entry] = await storage.readEntries({ firstIndex: 1, lastIndex: 1, maxBytes: 100 });
    expect(Buffer.from(entry?.payload ?? []).toString()).toBe('kept');
    await storage.close();
  });

  it('is refused for a log in use, and for another member', async () => {
    const storage = await open();
    expect(() => {
      moveLogToCluster(directory, identity, 77n);
    }).toThrow(expect.objectContaining({ code: 'refused-to-start' }) as Error);
    await storage.close();
    expect(() => {
      moveLogToCluster(directory, { ...identity, memberId: 6n }, 77n);
    }).toThrow(/belongs to another member/);
    expect(readIdentity(directory)).toEqual(identity);
  });
});
