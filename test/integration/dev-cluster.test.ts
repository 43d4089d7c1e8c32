import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DevProcess, exists, freeBasePort, quorate, until } from '../support/dev-process';
import { isFree } from '../support/free-ports';

const names = ['m1', 'm2', 'm3'];

interface StatusJson {
  readonly members: readonly {
    readonly reachable: boolean;
    readonly role?: string;
    readonly member: { readonly name: string };
  }[];
}

describe('quorate dev', () => {
  const started: DevProcess[] = [];
  let directory = '';

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'quorate-dev-'));
  });

  afterEach(async () => {
    for (const dev of started.splice(0)) {
      dev.kill('SIGTERM');
      await dev.ended;
    }
    rmSync(directory, { recursive: true, force: true });
  });

  function start(...words: readonly string[]): DevProcess {
    return startWith({}, ...words);
  }

  function startWith(env: Readonly<Record<string, string>>, ...words: readonly string[]): DevProcess {
    const dev = new DevProcess(join(directory, 'data'), words, env);
    started.push(dev);
    return dev;
  }

  function endpointsFrom(base: number): readonly string[] {
    return names.map((_, position) => `127.0.0.1:${String(base + 2 * position)}`);
  }

  it('runs a cluster that survives a killed member, stops whole, and keeps its data', async () => {
    const base = await freeBasePort(6);
    const endpoints = endpointsFrom(base);
    const dev = start('--base-port', String(base));
    await dev.untilReady();
    for (const endpoint of endpoints) {
      await expect(quorate('put', endpoint, 'value', '--endpoints', endpoint)).resolves.toMatchObject({ code: 0 });
      for (const other of endpoints) {
        const read = await quorate('get', endpoint, '--endpoints', other);
        expect(read).toEqual({ code: 0, stdout: 'value\n', stderr: '' });
      }
    }

    const pids = names.map((name) => dev.memberPid(name));
    process.kill(pids[1] ?? 0, 'SIGKILL');
    await until('the death is told', () => dev.output.includes('m2 is down: it was ended by SIGKILL'));
    expect(dev.output).toMatch(/start it again with: \S+ \S+main\.js serve --name m2 /);
    const status = await quorate('status', '--endpoints', endpoints.join(','), '--output', 'json');
    const { members } = JSON.parse(status.stdout) as StatusJson;
    expect(members.map((member) => [member.member.name, member.reachable])).toEqual([
      ['m1', true],
      ['m2', false],
      ['m3', true],
    ]);
    await expect(quorate('status', '--check', '--endpoints', endpoints[0] ?? '')).resolves.toMatchObject({ code: 6 });
    await expect(
      quorate('put', 'later', '1', '--endpoints', endpoints.join(','), '--timeout', '20000'),
    ).resolves.toMatchObject({ code: 0 });

    dev.kill('SIGTERM');
    await expect(dev.ended).resolves.toBe(0);
    expect(pids.map(exists)).toEqual([false, false, false]);
    // In order, not by force.
    expect(names.map((name) => dev.memberLog(name).includes('"msg":"stopped"'))).toEqual([true, false, true]);

    const again = start('--base-port', String(base));
    await again.untilReady();
    for (const key of [...endpoints, 'later']) {
      await expect(quorate('get', key, '--endpoints', endpoints[1] ?? '')).resolves.toMatchObject({ code: 0 });
    }
  });

  it('names its endpoints when all of them can be called, also one that starts late', async () => {
    const base = await freeBasePort(6);
    const late = join(__dirname, '..', 'support', 'late-third-member.cjs');
    const dev = startWith({ NODE_OPTIONS: `--require "${late}"` }, '--base-port', String(base));
    await dev.untilReady();
    await expect(Promise.all([0, 2, 4].map((offset) => isFree(base + offset)))).resolves.toEqual([false, false, false]);
  });

  it('leaves no member behind when it is killed itself', async () => {
    const dev = start('--base-port', String(await freeBasePort(6)));
    await dev.untilReady();
    let pids: readonly number[] = [];
    await until('all members have logged', () => {
      pids = names.map((name) => dev.memberPid(name));
      return pids.every(exists);
    });
    dev.kill('SIGKILL');
    await until('all members are gone', () => !pids.some(exists), 15_000);
  });

  it('names the port that is in use, and claims no directory', async () => {
    const base = await freeBasePort(6);
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(base + 3, '127.0.0.1', resolve));
    const data = join(directory, 'data');
    const refused = await quorate('dev', '--base-port', String(base), '--data-dir', data);
    await new Promise((resolve) => server.close(resolve));
    expect(refused).toMatchObject({ code: 3, stdout: '' });
    expect(refused.stderr).toMatch(new RegExp(`^error: Port ${String(base + 3)} cannot be used .*--base-port.*\\n$`));
    const dev = start('--members', '1', '--base-port', String(base));
    await dev.untilReady();
  });

  it('refuses another number of members, a strange directory, and one that cannot be made', async () => {
    const data = join(directory, 'data');
    mkdirSync(data);
    writeFileSync(join(data, 'dev.json'), '{"format":1,"clusterName":"dev","members":["m1","m2","m3"]}\n');
    const strange = join(directory, 'strange');
    mkdirSync(strange);
    writeFileSync(join(strange, 'file'), '');
    const cases: [string, RegExp][] = [
      [data, /^error: .* holds a cluster of 3, not of 5; start it with --members 3, or .*\n$/],
      [strange, /^error: .* is not empty and was not made by 'quorate dev'.*\n$/],
      [join(strange, 'file', 'below'), /^error: The directory .* cannot be used .*\n$/],
    ];
    for (const [path, sentence] of cases) {
      const refused = await quorate('dev', '--members', '5', '--data-dir', path);
      expect(refused).toMatchObject({ code: 3, stdout: '' });
      expect(refused.stderr).toMatch(sentence);
    }
  });

  it('says why when its members cannot start', async () => {
    const data = join(directory, 'data');
    mkdirSync(data);
    writeFileSync(join(data, 'dev.json'), '{"format":1,"clusterName":"dev","members":["m1"]}\n');
    writeFileSync(join(data, 'm1'), 'a file where a directory should be');
    const failed = await quorate('dev', '--base-port', String(await freeBasePort(2)), '--data-dir', data);
    expect(failed.code).toBe(3);
    expect(failed.stdout).toMatch(/Too few members run\.\nm1 ended: .+ \(its log: .*m1\.log\)\n/);
  });
});
