import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { refuseExisting, saveTo } from '../../../../src/cli/snapshot/complete-file';

let directory: string;
let file: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'quorate-save-'));
  file = join(directory, 'copy.db');
});
afterEach(() => {
  rmSync(directory, { recursive: true });
});

async function* parts(...texts: readonly string[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) {
    await Promise.resolve();
    if (text === 'FAIL') throw new Error('the stream broke');
    // Until all of it has come, nothing bears the file's name.
    expect(existsSync(`${file}.partial`)).toBe(true);
    yield Buffer.from(text);
  }
}

const quietly = { force: false, onProgress: () => undefined };

describe('saving a snapshot', () => {
  it('writes the parts in order, under another name until the end, and tells of progress', async () => {
    const progress: number[] = [];
    await saveTo(file, parts('one', 'three', '!'), { force: false, onProgress: (bytes) => progress.push(bytes) });
    expect(readFileSync(file, 'utf8')).toBe('onethree!');
    expect(progress).toEqual([3, 8, 9]);
    expect(readdirSync(directory)).toEqual(['copy.db']);
  });

  it('leaves nothing when the stream breaks', async () => {
    await expect(saveTo(file, parts('one', 'FAIL'), quietly)).rejects.toThrow('the stream broke');
    expect(readdirSync(directory)).toEqual([]);
  });

  it('leaves an existing file as it was, unless forced', async () => {
    writeFileSync(file, 'old');
    await expect(refuseExisting(file)).rejects.toMatchObject({ code: 'invalid-argument' });
    await expect(saveTo(file, parts('new'), quietly)).rejects.toMatchObject({ code: 'invalid-argument' });
    await expect(saveTo(file, parts('FAIL'), { ...quietly, force: true })).rejects.toThrow();
    expect(readFileSync(file, 'utf8')).toBe('old');
    await saveTo(file, parts('new'), { ...quietly, force: true });
    expect(readFileSync(file, 'utf8')).toBe('new');
    expect(readdirSync(directory)).toEqual(['copy.db']);
  });

  it('replaces what an interrupted run left', async () => {
    writeFileSync(`${file}.partial`, 'a long remainder of another run');
    await saveTo(file, parts('new'), quietly);
    expect(readFileSync(file, 'utf8')).toBe('new');
  });

  it('says why it cannot write', async () => {
    const nowhere = join(directory, 'none', 'copy.db');
    await expect(saveTo(nowhere, parts('x'), quietly)).rejects.toMatchObject({
      code: 'snapshot-failed',
      outcome: 'not-done',
      message: expect.stringContaining('ENOENT') as string,
    });
  });
});
