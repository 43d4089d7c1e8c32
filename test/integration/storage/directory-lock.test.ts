import { chmodSync, chownSync } from 'node:fs';
import { StorageProcess } from '../../support/storage-process';
import { temporaryDirectories } from '../../support/log-builders';

const directories = temporaryDirectories();
const running: StorageProcess[] = [];

afterEach(async () => {
  for (const child of running.splice(0)) await child.kill();
  directories.removeAll();
});

function start(options: ConstructorParameters<typeof StorageProcess>[0] = {}): StorageProcess {
  const child = new StorageProcess(options);
  running.push(child);
  return child;
}

const asRoot = process.getuid?.() === 0;

describe('Lock of a data directory', () => {
  it('keeps a second process out, names the fix, and harms nothing', async () => {
    const directory = directories.make();
    const [first, second] = [start(), start()];
    expect(await first.do({ kind: 'open', directory })).toMatchObject({ ok: true });
    const refused = await second.do({ kind: 'open', directory });
    expect(refused).toMatchObject({ ok: false, code: 'refused-to-start' });
    expect(refused.message).toMatch(/in use by a running member.*Stop that one first/);
    expect(await first.do({ kind: 'persist', firstIndex: 1, count: 3, bytes: 100 })).toMatchObject({ durable: 3 });
  });

  it('lets exactly one of several processes in that start at the same time', async () => {
    const directory = directories.make();
    const children = Array.from({ length: 4 }, () => start());
    const answers = await Promise.all(children.map((child) => child.do({ kind: 'open', directory })));
    expect(answers.filter(({ ok }) => ok)).toHaveLength(1);
    expect(answers.filter(({ code }) => code === 'refused-to-start')).toHaveLength(3);
  });

  it('is gone after kill -9, and what was reported durable is there', async () => {
    const directory = directories.make();
    let lastIndex = 0;
    for (let round = 0; round < 5; round++) {
      const child = start();
      expect(await child.do({ kind: 'open', directory })).toMatchObject({ ok: true, lastIndex });
      await child.do({ kind: 'persist', firstIndex: lastIndex + 1, count: 20, bytes: 300 });
      lastIndex += 20;
      await child.kill();
    }
    expect(await start().do({ kind: 'open', directory })).toMatchObject({ ok: true, lastIndex: 100 });
  });

  it('is gone after closing', async () => {
    const directory = directories.make();
    const first = start();
    await first.do({ kind: 'open', directory });
    await first.do({ kind: 'close' });
    expect(await start().do({ kind: 'open', directory })).toMatchObject({ ok: true });
  });

  (asRoot ? it : it.skip)('is refused, with the fix, where this user may not write', async () => {
    const directory = directories.make();
    chmodSync(directory, 0o755);
    const refused = await start({ uid: 65534 }).do({ kind: 'open', directory });
    expect(refused).toMatchObject({ ok: false, code: 'refused-to-start' });
    expect(refused.message).toMatch(/EACCES.*writable for this user/);
    // Files of root in a directory that is theirs: the lock can be taken, the log cannot be written.
    const first = start();
    await first.do({ kind: 'open', directory });
    await first.do({ kind: 'close' });
    chownSync(directory, 65534, 65534);
    expect(await start({ uid: 65534 }).do({ kind: 'open', directory })).toMatchObject({
      ok: false,
      code: 'refused-to-start',
    });
  });
});
