/** The verbs that move data in and out, as processes on a real cluster. */
import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { newMembers, ProcessCluster, type ProcessMember } from '../support/process-cluster';

const program = join(__dirname, '../../dist/main.js');
let cluster: ProcessCluster;
let directory: string;

beforeAll(async () => {
  cluster = await ProcessCluster.start();
  directory = mkdtempSync(join(tmpdir(), 'quorate-cli-data-'));
});

afterAll(async () => {
  await cluster.stop();
  rmSync(directory, { recursive: true });
});

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function quorate(...args: readonly string[]): Promise<Ended> {
  const endpoints = cluster.members.map(({ clientAddress }) => clientAddress).join(',');
  const env = { ...process.env, QUORATE_ENDPOINTS: endpoints };
  return new Promise((resolve) => {
    execFile(process.execPath, [program, ...args], { env, timeout: 60_000 }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr });
    });
  });
}

/** Lines as `export` writes them, without counters. */
function linesOf(count: number, prefix: string): string {
  const line = (number: number) =>
    number % 3 === 0
      ? { key: `${prefix}${String(number)}`, data: Buffer.from([number % 256, 255, 0]).toString('base64') }
      : { key: `${prefix}${String(number)}`, text: `ü\u2028${String(number)}\n` };
  return Array.from({ length: count }, (_, number) => `${JSON.stringify(line(number))}\n`).join('');
}

/** Keys and values of an export, without what depends on when they were stored. */
function entriesOf(text: string): readonly string[] {
  return text
    .trimEnd()
    .split('\n')
    .map((line) => {
      const { key, text: value, data } = JSON.parse(line) as Record<string, unknown>;
      return JSON.stringify({ key, text: value, data });
    })
    .sort();
}

describe('import and export', () => {
  it('bring back exactly what was there', async () => {
    const [given, taken] = [join(directory, 'given.jsonl'), join(directory, 'taken.jsonl')];
    writeFileSync(given, linesOf(3_000, 'round/'));
    const imported = await quorate('import', given, '--output', 'json');
    expect(JSON.parse(imported.stdout)).toMatchObject({ imported: 3_000, skipped: 0 });
    expect(existsSync(`${given}.import`)).toBe(false);
    expect(await quorate('export', taken, '--prefix', 'round/')).toMatchObject({ code: 0 });
    expect(entriesOf(readFileSync(taken, 'utf8'))).toEqual(entriesOf(readFileSync(given, 'utf8')));
  });

  it('stop at a line that cannot be stored, and go on where they stopped', async () => {
    const file = join(directory, 'broken.jsonl');
    const good = linesOf(500, 'resumed/');
    writeFileSync(file, `${good}{"key":"resumed/x"}\n`);
    const stopped = await quorate('import', file);
    expect(stopped).toMatchObject({ code: 2, stderr: expect.stringContaining('line 501 must have exactly one of') });
    expect(existsSync(`${file}.import`)).toBe(true);
    expect(await quorate('import', file)).toMatchObject({ code: 2, stderr: expect.stringContaining('--resume') });
    const again = await quorate('import', file, '--resume');
    expect(again).toMatchObject({ code: 2, stderr: expect.stringContaining('line 501') });
    // What was done before was not done again.
    const { kv } = await cluster.client().get('resumed/499');
    expect(kv?.version).toBe(1);
  });

  it('can leave keys alone that are there', async () => {
    await cluster.client().put('kept/1', 'mine');
    const file = join(directory, 'kept.jsonl');
    writeFileSync(file, linesOf(3, 'kept/'));
    const { stdout } = await quorate('import', file, '--if-absent', '--output', 'json');
    expect(JSON.parse(stdout)).toMatchObject({ imported: 2, skipped: 1 });
    expect((await cluster.client().get('kept/1')).kv?.value).toBe('mine');
  });
});

describe('snapshot save, inspect and restore', () => {
  it('make a new cluster with the same data, whose log begins after it', async () => {
    const file = join(directory, 'copy.db');
    await cluster.client().put('saved', 'yes');
    const saved = JSON.parse((await quorate('snapshot', 'save', file, '--output', 'json')).stdout) as {
      readonly sha256: string;
      readonly appliedIndex: number;
      readonly clusterId: string;
    };
    const inspected = JSON.parse((await quorate('snapshot', 'inspect', file, '--output', 'json')).stdout) as object;
    const { clusterId, appliedIndex, sha256 } = saved;
    expect(inspected).toMatchObject({ sha256, contents: { clusterId, appliedIndex } });
    const members = await newMembers(3);
    const list = members.map((it) => `${it.name}=${it.peerAddress}/${it.clientAddress}`).join(',');
    const data = join(directory, 'restored');
    const restore = ['snapshot', 'restore', file, '--initial-members', list, '--data-dir', data, '--sha256', sha256];
    const restored = await quorate(...restore, '--cluster-name', 'restored', '--output', 'json');
    expect(restored).toMatchObject({ code: 0, stderr: '' });
    expect(JSON.parse(restored.stdout)).not.toMatchObject({ clusterId });
    await expectSameData(members, data, appliedIndex);
    // It never begins on top of what is there.
    expect(await quorate(...restore, '--cluster-name', 'other')).toMatchObject({ code: 2 });
  });

  it('refuse a file that is not what it should be, and leave nothing behind', async () => {
    const file = join(directory, 'bad.db');
    await quorate('snapshot', 'save', file);
    const bytes = readFileSync(file);
    writeFileSync(file, Buffer.concat([bytes, Buffer.alloc(32, 7)]));
    const target = join(directory, 'nothing');
    const restore = ['snapshot', 'restore', file, '--cluster-name', 'b', '--initial-members', 'm1=a:1/a:2'];
    const refused = await quorate(...restore, '--data-dir', target);
    expect(refused).toMatchObject({ code: 2, stderr: expect.stringContaining('is damaged: its SHA-256') });
    expect(existsSync(target) ? readdirSync(target) : []).toEqual([]);
    expect(await quorate('snapshot', 'inspect', join(__dirname, 'cli-data.test.ts'))).toMatchObject({ code: 2 });
  });

  it('refuse the name of the cluster that the snapshot is of', async () => {
    const file = join(directory, 'same.db');
    await quorate('snapshot', 'save', file);
    const list = cluster.members.map((it) => `${it.name}=${it.peerAddress}/${it.clientAddress}`).join(',');
    const target = join(directory, 'same');
    const restore = ['snapshot', 'restore', file, '--initial-members', list, '--data-dir', target];
    const refused = await quorate(...restore, '--cluster-name', 'quorate');
    expect(refused).toMatchObject({ code: 2, stderr: expect.stringContaining('choose another') });
  });
});

/** Starts the restored members and compares them with the old cluster. */
async function expectSameData(members: readonly ProcessMember[], data: string, appliedIndex: number): Promise<void> {
  const fresh = await ProcessCluster.startFrom(members, { dataDirOf: (name) => join(data, name) });
  try {
    const leader = await fresh.leader();
    const before = await cluster.contents(cluster.members[0] as (typeof cluster.members)[number]);
    expect(await fresh.contents(leader)).toEqual(before);
    expect((await fresh.status(leader))?.firstLogIndex).toBe(appliedIndex + 1);
    await fresh.client().put('after', 'restore');
    await fresh.converged();
  } finally {
    await fresh.stop();
  }
}
