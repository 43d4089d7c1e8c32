/** The operators' verbs as processes, against a member without Raft. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { QuorateError } from '../../src/base/error';
import { type FakeMember, startFakeMember } from '../support/fake-member';

const program = join(__dirname, '../../dist/main.js');
const addresses = ['--peer-address', 'h4:2380', '--client-address', 'h4:2379'];
let member: FakeMember;
let directory: string;

beforeEach(async () => {
  member = await startFakeMember();
  directory = mkdtempSync(join(tmpdir(), 'quorate-cli-'));
});

afterEach(async () => {
  rmSync(directory, { recursive: true });
  await member.server.drain(1000);
});

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function quorate(...args: readonly string[]): Promise<Ended> {
  const env = { ...process.env, QUORATE_ENDPOINTS: member.address };
  return new Promise((resolve) => {
    execFile(process.execPath, [program, ...args], { env, timeout: 20_000 }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr });
    });
  });
}

describe('quorate member', () => {
  it('lists the members for people and for programs', async () => {
    expect((await quorate('member', 'list')).stdout).toMatch(/^NAME +ID +STANDING.*\nm7 +7 +voter +h:2 +h:1 +yes\n/);
    const { stdout } = await quorate('member', 'list', '--output', 'json');
    expect(JSON.parse(stdout)).toEqual({
      clusterId: String(2n ** 64n - 1n),
      leaderId: '7',
      members: [
        { id: '7', name: 'm7', peerAddress: 'h:2', clientAddress: 'h:1', standing: 'voter' },
        { id: String(2n ** 63n), name: 'm1', peerAddress: 'a:2', clientAddress: 'a:1', standing: 'voter' },
      ],
    });
  });

  it('adds a member and says how to start it', async () => {
    const { code, stdout } = await quorate('member', 'add', 'm4', ...addresses);
    expect(code).toBe(0);
    expect(stdout).toContain('Added m4, id 100, learner. It will become a voter.');
    expect(stdout).toContain(
      '\n  quorate serve --name m4 --data-dir quorate-m4-100 --client-listen h4:2379 --peer-listen h4:2380 --join h:1,a:1\n',
    );
    expect(member.membership.wishes).toMatchObject([{ $case: 'add', value: { member: { promoteWhenReady: true } } }]);
  });

  it('adds a learner, and gives programs the words of its command', async () => {
    const { stdout } = await quorate('member', 'add', 'm4', ...addresses, '--learner', '--output', 'json');
    const answer = JSON.parse(stdout) as { member: object; serve: string[] };
    expect(answer.member).toMatchObject({ id: '100', standing: 'learner' });
    expect(answer.serve.slice(0, 4)).toEqual(['quorate', 'serve', '--name', 'm4']);
    expect(member.membership.wishes).toMatchObject([{ value: { member: { promoteWhenReady: false } } }]);
  });

  it('replaces a member by one of the same name, which joins through the others', async () => {
    const { stdout } = await quorate('member', 'replace', 'm7', ...addresses);
    expect(stdout).toContain('Replaced m7 by m7, id 100, voter.');
    expect(stdout).toContain('--join a:1\n');
    expect(member.membership.wishes).toMatchObject([
      { $case: 'replace', value: { name: 'm7', member: { name: 'm7' } } },
    ]);
  });

  it('removes, promotes and moves', async () => {
    expect(await quorate('member', 'remove', 'm7')).toMatchObject({ code: 0, stdout: 'Removed m7\n' });
    expect(await quorate('member', 'promote', 'm4')).toMatchObject({ stdout: 'Promoted m4: it votes now\n' });
    const moved = await quorate('member', 'update', 'm1', '--peer-address', 'n:1', '--output', 'json');
    expect(moved.stdout).toBe('{"updated":"m1"}\n');
    expect(member.membership.wishes.at(-1)).toEqual({
      $case: 'update',
      value: { name: 'm1', peerAddress: 'n:1', clientAddress: '' },
    });
  });

  it('exits with 2 for a wrong command line or value, and nothing is done', async () => {
    expect(await quorate('member', 'add', 'm4')).toMatchObject({ code: 2 });
    expect(await quorate('member', 'update', 'm1')).toMatchObject({ code: 2 });
    expect(await quorate('member')).toMatchObject({ code: 2 });
    expect(await quorate('member', 'add', 'm 4', ...addresses)).toMatchObject({ code: 2 });
    expect(member.membership.wishes).toEqual([]);
  });

  it('exits with 3 for a refusal and says why, with 4 for an unknown outcome', async () => {
    member.membership.behaviour = () => Promise.reject(new QuorateError('change-refused', 'm4 has not caught up'));
    const refused = await quorate('member', 'promote', 'm4');
    expect(refused).toMatchObject({ code: 3, stderr: 'error: m4 has not caught up (change-refused).\n' });
    member.membership.behaviour = () =>
      Promise.reject(new QuorateError('outcome-unknown', '?', { outcome: 'unknown' }));
    expect(await quorate('member', 'remove', 'm7')).toMatchObject({ code: 4 });
  });
});

describe('quorate transfer-leader', () => {
  it('names the new leader', async () => {
    expect(await quorate('transfer-leader', 'm1')).toMatchObject({ code: 0, stdout: 'm1 leads now\n' });
    expect(JSON.parse((await quorate('transfer-leader', 'm7', '--output', 'json')).stdout)).toMatchObject({
      leader: { name: 'm7' },
    });
  });
});

describe('quorate snapshot save', () => {
  it('saves the whole, checked, and nothing beside it', async () => {
    const file = join(directory, 'copy.db');
    const { code, stdout } = await quorate('snapshot', 'save', file, '--output', 'json');
    expect(code).toBe(0);
    const sha256 = createHash('sha256').update(readFileSync(file)).digest('hex');
    expect(JSON.parse(stdout)).toEqual({
      file,
      clusterId: String(2n ** 64n - 1n),
      appliedIndex: 42,
      sizeBytes: 1_000_000,
      sha256,
    });
    expect(readdirSync(directory)).toEqual(['copy.db']);
  });

  it('refuses to overwrite, before it asks for anything, unless forced', async () => {
    const file = join(directory, 'copy.db');
    await quorate('snapshot', 'save', file);
    const refused = await quorate('snapshot', 'save', file);
    expect(refused.code).toBe(2);
    expect(refused.stderr).toContain('exists; choose another name, or replace it with --force');
    expect(member.snapshots.taken).toBe(1);
    expect(await quorate('snapshot', 'save', file, '--force')).toMatchObject({ code: 0 });
  });

  it('leaves nothing behind when the copy is not what was announced', async () => {
    member.snapshots.lies = true;
    const { code, stderr } = await quorate('snapshot', 'save', join(directory, 'copy.db'));
    expect(code).toBe(3);
    expect(stderr).toContain('SHA-256');
    expect(readdirSync(directory)).toEqual([]);
  });
});
