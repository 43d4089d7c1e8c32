import { existsSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { journalPath, openJournal } from '../../../../src/cli/import/journal';

let directory: string;
let file: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'quorate-journal-'));
  file = join(directory, 'keys.jsonl');
  writeFileSync(file, 'content');
});

afterEach(() => {
  rmSync(directory, { recursive: true });
});

const noon = Date.parse('2026-01-01T12:00:00Z');
const minutes = (count: number) => count * 60_000;

describe('the journal of an import', () => {
  it('has the ids of lines on the disk before they are used', async () => {
    const journal = await openJournal(file, false);
    expect(existsSync(journalPath(file))).toBe(false);
    const id = await journal.idOf(1, noon);
    expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7/);
    const after = await openJournal(file, true);
    expect(await after.idOf(1, noon + 1)).toBe(id);
    expect(await after.idOf(2, noon + 1)).toBe(await journal.idOf(2, noon));
  });

  it('knows up to where all lines are done, in whatever order they end', async () => {
    const journal = await openJournal(file, false);
    await journal.idOf(1, noon);
    for (const line of [2, 3, 5]) journal.finished(line);
    expect(journal.done).toBe(0);
    journal.finished(1);
    expect(journal.done).toBe(3);
    await journal.save();
    expect((await openJournal(file, true)).done).toBe(3);
  });

  it('begins a new chunk of ids after many lines, and keeps the one that is still needed', async () => {
    const journal = await openJournal(file, false);
    const ids = [await journal.idOf(9_999, noon), await journal.idOf(19_999, noon)];
    const after = await openJournal(file, true);
    expect([await after.idOf(9_999, noon), await after.idOf(19_999, noon)]).toEqual(ids);
  });

  it('takes new ids for lines whose ids the members would refuse as too old', async () => {
    const journal = await openJournal(file, false);
    const old = await journal.idOf(1, noon);
    const after = await openJournal(file, true);
    expect(await after.idOf(1, noon + minutes(49))).toBe(old);
    expect(await after.idOf(1, noon + minutes(51))).not.toBe(old);
  });

  it('is not begun anew by mistake, nor resumed when there is none', async () => {
    await expect(openJournal(file, true)).rejects.toMatchObject({ message: expect.stringContaining('is missing') });
    await (await openJournal(file, false)).save();
    await expect(openJournal(file, false)).rejects.toMatchObject({ message: expect.stringContaining('--resume') });
  });

  it('is refused for a file that has changed, or when it is damaged', async () => {
    await (await openJournal(file, false)).save();
    utimesSync(file, 1, 1);
    await expect(openJournal(file, true)).rejects.toMatchObject({ message: expect.stringContaining('has changed') });
    writeFileSync(journalPath(file), '{');
    await expect(openJournal(file, true)).rejects.toMatchObject({ message: expect.stringContaining('cannot be read') });
  });

  it('goes away at the end', async () => {
    const journal = await openJournal(file, false);
    await journal.save();
    await journal.remove();
    expect(existsSync(journalPath(file))).toBe(false);
  });
});
