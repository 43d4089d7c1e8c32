/** docs/state-database.md: its examples are run, by SQLite's own program and by the library. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { putOperation, unnamed } from '../../../src/kv/command-builders';
import { openKvStateMachine } from '../../../src/kv/state-machine';
import { bytes, del, entries, put } from '../../support/kv-entries';

const page = readFileSync(join(__dirname, '..', '..', '..', 'docs', 'state-database.md'), 'utf8');
const examples = [...page.matchAll(/^sqlite3 -readonly state.db "(.*)"$/gm)].map(([, sql]) => sql ?? '');

let directory: string;
let path: string;
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'quorate-views-'));
  path = join(directory, 'state.db');
  const machine = openKvStateMachine({ path, clusterId: 0xfedcba9876543210n });
  const leased = putOperation({ key: bytes('session'), value: bytes('s'), form: 'text', lease: -5n, grantTtl: 60 });
  machine.apply(
    entries(1, [
      put('user/1', 'Ada'),
      put('user/2', 'Bob'),
      put('user/1', 'Ada L.'),
      del('user/2'),
      { requestId: Buffer.alloc(16, 0xab), command: leased },
      unnamed({ kind: 'advance-clock', term: 1, elapsedMs: 900 }),
      unnamed({ kind: 'alarm', action: 'raise', alarm: 'no-space', memberId: 2n ** 64n - 1n }),
      unnamed({ kind: 'compact', revision: 3 }),
    ]),
  );
  await machine.close();
});
afterAll(() => {
  rmSync(directory, { recursive: true });
});

const answers = ['user/1|Ada L.', '4|put|Ada L.', 'session|59100', '8|6|3'];
const hasProgram = (() => {
  try {
    execFileSync('sqlite3', ['--version']);
    return true;
  } catch {
    return false;
  }
})();

describe('The examples of the state database', () => {
  it('are as many as their answers', () => {
    expect(examples).toHaveLength(answers.length);
  });

  it.each(examples.map((sql, at) => [sql, answers[at]]))('in the library: %s', (sql, answer) => {
    const db = new Database(path, { readonly: true });
    const rows = db.prepare<[], unknown[]>(sql).raw(true).all();
    db.close();
    expect(rows.map((row) => row.join('|')).join('\n')).toBe(answer);
  });

  (hasProgram ? it : it.skip).each(examples.map((sql, at) => [sql, answers[at]]))('in sqlite3: %s', (sql, answer) => {
    expect(execFileSync('sqlite3', ['-readonly', path, sql], { encoding: 'utf8' }).trimEnd()).toBe(answer);
  });
});

describe('The views of the state database', () => {
  it('show leases, requests and alarms', () => {
    const db = new Database(path, { readonly: true });
    const all = (view: string): unknown[] => db.prepare(`SELECT * FROM ${view}`).all();
    expect(all('leases')).toEqual([{ id: -5, ttl_seconds: 60, renewals: 0, remaining_ms: 59_100 }]);
    expect(all('requests')).toEqual([{ request_id: 'ab'.repeat(16), clock_ms: 0 }]);
    expect(all('alarms')).toEqual([{ alarm: 'no-space', member_id: 'f'.repeat(16) }]);
    db.close();
  });

  it('show the history from the compacted revision on, whether or not older rows have been removed', () => {
    const db = new Database(path, { readonly: true });
    expect(db.prepare('SELECT revision, action, key FROM history').raw(true).all()).toEqual([
      [3, 'put', 'user/2'],
      [4, 'put', 'user/1'],
      [5, 'delete', 'user/2'],
      [6, 'put', 'session'],
    ]);
    db.close();
  });
});
